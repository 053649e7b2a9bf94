"""A traveller searches, books, pays and cancels, over the interfaces that a browser uses."""

from decimal import Decimal

from shared.testing import eventually
from tests.journeys import mails
from tests.journeys.api import Client
from tests.journeys.travellers import Traveller

WATCH = """subscription ($reference: String!, $after: Int) { bookingUpdated(reference: $reference, afterSequence: $after) {
  booking { status sequence } event { sequence type status message } } }"""


def amount(money):
    return Decimal(money["amount"])


def test_from_search_to_cancellation(departure, seats_free):
    traveller = Traveller.register(first_name="Zoé", locale="FR")
    me = traveller.graphql("{ me { email emailVerified profile { firstName locale } } }").field("me")
    assert me == {"email": traveller.email, "emailVerified": True, "profile": {"firstName": "Zoé", "locale": "FR"}}

    search = Client().graphql(
        '{ destinations(search: "Paris", first: 5) { edges { node { name kind countryCode } } } }'
    )
    assert "Paris" in [edge["node"]["name"] for edge in search.field("destinations")["edges"]]

    before = seats_free(departure)
    quote = traveller.quote(departure, adults=2)
    assert sum(amount(price_line["total"]) for price_line in quote["lines"]) == amount(quote["total"]) > 0
    created = traveller.create(quote["id"]).field("createBooking")
    assert created["errors"] == []
    booking = created["booking"]
    assert (booking["status"], booking["reason"], booking["sequence"]) == ("PENDING", "HELD", 1)
    assert booking["total"] == quote["total"]
    assert seats_free(departure) == before - 2
    reference = booking["reference"]

    with traveller.subscription(WATCH, reference=reference, after=0) as live:
        assert live.next()["bookingUpdated"]["event"]["type"] == "booking.created"
        paid = traveller.pay(reference).field("payBooking")
        assert paid["errors"] == []
        assert paid["payment"]["status"] in {"SUCCEEDED", "PROCESSING"}
        pushed = [live.next()["bookingUpdated"] for _ in range(2)]
    assert [update["event"]["sequence"] for update in pushed] == [2, 3]
    assert {update["event"]["type"] for update in pushed} == {"payment.succeeded", "booking.confirmed"}
    assert pushed[-1]["booking"]["status"] == "CONFIRMED"

    mail = mails.wait_for(traveller.email, containing=reference, attached="text/calendar")
    [invoice_pdf] = mails.attachments(mail, "application/pdf")
    assert invoice_pdf.startswith(b"%PDF-")
    calendar = mails.attachments(mail, "text/calendar")[0].decode()
    assert "METHOD:REQUEST" in calendar
    assert calendar.count("BEGIN:VEVENT") == 1
    assert reference in mails.html(mail)

    confirmed = eventually(lambda: (now := traveller.booking(reference))["invoice"] and now)
    assert confirmed["paid"] == quote["total"]
    assert confirmed["invoice"]["total"] == quote["total"]
    pdf = traveller.rest("GET", confirmed["invoice"]["pdfUrl"])
    assert pdf.status_code == 200
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")

    offered = traveller.quote_cancellation(reference).field("quoteCancellation")
    assert offered["errors"] == []
    offer = offered["cancellationQuote"]
    assert amount(offer["refund"]) + amount(offer["kept"]) == amount(quote["total"])
    assert amount(offer["refund"]) > 0
    cancelled = traveller.cancel(offer["id"]).field("cancelBooking")
    assert cancelled["errors"] == []
    assert (cancelled["booking"]["status"], cancelled["booking"]["reason"]) == ("CANCELLED", "CANCELLED_BY_TRAVELLER")
    assert seats_free(departure) == before

    eventually(lambda: traveller.booking(reference)["refunded"] == offer["refund"], timeout=30)
    after = traveller.booking(reference)  # read again: the first answer may have read the refund before it was settled
    assert [refund["status"] for refund in after["refunds"]] == ["SUCCEEDED"]
    assert [entry["sequence"] for entry in after["history"]] == list(range(1, after["sequence"] + 1))
    cancel_mail = mails.wait_for(traveller.email, containing=reference, attached="text/calendar")
    assert eventually(lambda: b"METHOD:CANCEL" in newest_calendar(traveller.email, reference), timeout=30), cancel_mail
    [credit_note] = eventually(lambda: traveller.booking(reference)["creditNotes"], timeout=30)
    assert amount(credit_note["total"]).copy_abs() == amount(offer["refund"])

    again = traveller.cancel(offer["id"]).field("cancelBooking")
    assert again["errors"] == []
    assert len(again["booking"]["refunds"]) == 1


def newest_calendar(recipient, reference):
    """Return the calendar file of the newest mail to `recipient` that has a calendar file."""
    calendars = [files for mail in mails.to(recipient) if (files := mails.attachments(mail, "text/calendar"))]
    return calendars[-1][0] if calendars else b""


def test_a_declined_card_keeps_the_hold_and_a_second_payment_succeeds(traveller, departure):
    reference = traveller.hold(departure)["reference"]

    declined = traveller.pay(reference, method="pm_declined").field("payBooking")
    assert declined["errors"] == []
    assert declined["payment"]["status"] == "FAILED"
    assert declined["payment"]["failureCode"]
    assert declined["booking"]["status"] == "PENDING"

    assert traveller.pay(reference).refusals("payBooking") == []
    eventually(lambda: traveller.booking(reference)["status"] == "CONFIRMED", timeout=30)
    assert [p["status"] for p in traveller.booking(reference)["payments"]].count("SUCCEEDED") == 1


def test_a_slow_provider_still_confirms(traveller, departure):
    reference = traveller.hold(departure)["reference"]

    payload = traveller.pay(reference, method="pm_slow").field("payBooking")

    assert payload["errors"] == []
    assert payload["payment"]["status"] == "PROCESSING"
    eventually(lambda: traveller.booking(reference)["status"] == "CONFIRMED", timeout=30)


def test_one_query_joins_four_services(traveller, departure, confirmed):
    confirmed(departure)
    query = """{ me { email bookings(first: 5) { edges { node { reference status
        departure { startsAt trip { title destination { name parent { name } } } } invoice { number } } } }
        notifications(first: 5) { edges { node { channel template status } } }
        invoices(first: 5) { edges { node { number kind } } } } }"""

    me = eventually(lambda: (answer := traveller.graphql(query).field("me"))["invoices"]["edges"] and answer)

    bookings = [edge["node"] for edge in me["bookings"]["edges"]]
    assert bookings
    assert all(booking["departure"]["trip"]["destination"]["name"] for booking in bookings)
    assert {edge["node"]["channel"] for edge in me["notifications"]["edges"]} <= {"EMAIL", "SMS"}
