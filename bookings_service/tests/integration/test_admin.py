"""The admin over HTTP: who may do what, what a page shows, and the actions of staff."""

import html
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client

from bookings_service.bookings.admin import other_services
from bookings_service.bookings.contracts import BookingView
from bookings_service.bookings.models import Booking, BookingEvent
from bookings_service.bookings.services import accept_change, leave_waitlist, receive_webhook
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments.domain import RefundStatus
from bookings_service.payments.models import LedgerEntry, Payment, Refund
from bookings_service.payments.refunds import record_refund
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import SECRET, Destinations
from bookings_service.tests.factories import webhook
from bookings_service.tests.move import move
from contracts.travel.notifications.v1 import notifications_pb2 as pb
from shared.auth import Traveller
from shared.errors import Unavailable
from shared.rpc.status import RpcFailed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

NASTY = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def upstream_answers() -> Iterator[dict[str, Any]]:
    """The answers of notifications_service and users_service, which a test may change."""
    answers: dict[str, Any] = {"messages": pb.ListBookingMessagesResponse(), "traveller": None}

    def answer(name: str) -> Any:
        if isinstance(answers[name], Exception):
            raise answers[name]
        return answers[name]

    with (
        patch.object(other_services, "messages_of", lambda **_: answer("messages")),
        patch.object(other_services, "traveller_id_of", lambda **_: answer("traveller")),
    ):
        yield answers


def staff(*groups: str) -> Client:
    """Return a logged-in client of a member of staff in these groups."""
    user, _ = get_user_model().objects.get_or_create(username="-".join(groups) or "nobody", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(user, backend="shared.staff_sign_in.StaffBackend")
    return client


@pytest.fixture
def paid(buyer: Buyer, destinations: Destinations) -> BookingView:
    return buyer.pay(buyer.book(destinations.publish(policy=((1, 50),))))[1]


def page(booking: BookingView, action: str = "change") -> str:
    path = "/admin/bookings/booking/"
    return f"{path}{booking.id}/change/" if action == "change" else f"{path}{booking.id}/{action}/"


@pytest.fixture
def failed(paid: BookingView) -> Refund:
    with transaction.atomic():
        amount = paid.total.share(10)
        record_refund(Booking.objects.get().id, amount=amount, reason="X", now=paid.created_at)
    refund = Refund.objects.get()
    pay_out.settle_refund(refund_id=refund.id, status=RefundStatus.FAILED)
    return refund


def test_a_page_shows_history_payments_and_messages(paid: BookingView, upstream_answers: dict[str, Any]) -> None:
    mail = pb.Notification(subject=f"Booking {NASTY}", channel=pb.CHANNEL_EMAIL, status=pb.NOTIFICATION_STATUS_SENT)
    upstream_answers["messages"] = pb.ListBookingMessagesResponse(notifications=[mail])

    shown = staff("support").get(page(paid)).content.decode()

    for text in (
        "booking.created",
        "payment.succeeded",
        "booking.confirmed",
        "With the payment provider",
        "1000.00 EUR",
        "Lindqvist",
        "SENT",
    ):
        assert text in shown
    assert NASTY not in shown
    assert "Cancel…" not in shown
    assert "Refund…" not in shown


def test_a_page_shows_that_the_departure_was_moved(paid: BookingView, destinations: Destinations) -> None:
    """The reason is text of staff, and never markup."""
    client = staff("support")
    assert "The departure has the dates that the traveller bought" in client.get(page(paid)).content.decode()

    move(destinations, paid.departure_id, timedelta(days=1), reason=NASTY)

    shown = client.get(page(paid)).content.decode()
    assert f"from {paid.starts_at:%Y-%m-%d %H:%M}" in shown
    assert "Not accepted. Free cancellation until" in shown
    assert NASTY not in shown
    assert html.escape(NASTY) in shown
    accept_change(reference=paid.reference, traveller=Traveller(paid.traveller_id, paid.traveller_id, token=""))
    assert "Accepted at" in client.get(page(paid)).content.decode()
    seats = client.get(f"/admin/bookings/seatinventory/{paid.departure_id}/change/").content.decode()
    assert html.escape(NASTY) in seats


def test_an_unavailable_upstream_is_reported_and_the_page_is_shown(
    paid: BookingView, upstream_answers: dict[str, Any]
) -> None:
    upstream_answers |= {"messages": Unavailable(retry_after=1), "traveller": Unavailable(retry_after=1)}

    shown = staff("support").get(page(paid))
    searched = staff("support").get("/admin/bookings/booking/?q=ann@example.org")

    assert "notifications_service does not answer now" in shown.content.decode()
    assert "users_service does not answer now" in searched.content.decode()


def test_bookings_are_found_by_reference_email_and_passenger(
    paid: BookingView, buyer: Buyer, upstream_answers: dict[str, Any]
) -> None:
    client = staff("support")

    def finds(term: str) -> bool:
        return (
            f"/admin/bookings/booking/{paid.id}/"
            in client.get("/admin/bookings/booking/", {"q": term}).content.decode()
        )

    assert finds(paid.reference.lower())
    assert finds("lindqvist")
    assert finds(str(buyer.who.id))
    assert not finds("ann@example.org")
    upstream_answers["traveller"] = buyer.who.id
    assert finds("ann@example.org")
    assert not finds("nobody")


@pytest.mark.parametrize(
    ("group", "allowed"),
    [
        ("support", set()),
        ("booking_agent", {"cancel"}),
        ("finance", {"refund", "failed-refund"}),
        ("catalogue_editor", set()),
    ],
)
def test_each_role_has_its_actions(failed: Refund, paid: BookingView, group: str, allowed: set[str]) -> None:
    client = staff(group)

    answers = {action: client.get(page(paid, action)).status_code for action in ("cancel", "refund", "failed-refund")}

    assert {action for action, status in answers.items() if status == 200} == allowed
    assert {status for action, status in answers.items() if action not in allowed} <= {403}
    for method in (client.post, client.get):
        assert method("/admin/bookings/booking/add/").status_code == 403
        assert method(page(paid, "delete")).status_code == 403


def test_an_agent_cancels_in_two_steps(paid: BookingView) -> None:
    client = staff("booking_agent")
    passenger = str(paid.passengers[0].id)

    quoted = client.post(page(paid, "cancel"), {"passengers": [passenger], "percent": "80", "reason": "Illness"})
    shown = quoted.content.decode()
    assert "400.00 EUR will be refunded, 100.00 EUR will be kept" in shown
    assert "Set by our staff: 80 % of the price is refunded." in shown
    assert Booking.objects.get().seats == 2
    confirm = {"confirm": str(quoted.context["quote"].id)}
    messages = [client.post(page(paid, "cancel"), confirm, follow=True).content.decode() for _ in range(2)]

    assert f"1 passenger of booking {paid.reference} is cancelled. The traveller will get a mail." in messages[0]
    assert (
        f"This cancellation of booking {paid.reference} was already carried out. This click changed nothing."
        in messages[1]
    )
    booking = Booking.objects.get()
    assert (booking.status, booking.seats) == ("CONFIRMED", 1)
    entry = BookingEvent.objects.get(type="booking.passengers_cancelled")
    assert (entry.actor, entry.note) == ("staff", "Illness")
    assert Refund.objects.get().amount_minor == 40_000
    assert LogEntry.objects.count() == 1


def test_an_agent_reads_that_the_whole_booking_is_cancelled(paid: BookingView) -> None:
    client = staff("booking_agent")
    quoted = client.post(page(paid, "cancel"), {"reason": "Illness"})

    answer = client.post(page(paid, "cancel"), {"confirm": str(quoted.context["quote"].id)}, follow=True)

    assert f"Booking {paid.reference} is cancelled. The traveller will get a mail." in answer.content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        {"reason": ""},
        {"reason": "x", "percent": "101"},
        {"reason": "x", "percent": "-1"},
        {"reason": "x", "passengers": ["0193b7c0-0000-7000-8000-000000000002"]},
    ],
)
def test_an_invalid_cancellation_is_refused_on_the_page(paid: BookingView, asked: dict[str, Any]) -> None:
    answer = staff("booking_agent").post(page(paid, "cancel"), asked)

    assert answer.status_code == 200
    assert answer.context["quote"] is None
    assert answer.context["form"].errors


def test_the_page_says_that_a_booking_cannot_be_cancelled(paid: BookingView, buyer: Buyer) -> None:
    buyer.cancel(paid)

    answer = staff("booking_agent").post(page(paid, "cancel"), {"reason": "x"})
    stale = staff("booking_agent").post(page(paid, "cancel"), {"confirm": str(UUID(int=1))}, follow=True)

    assert "This booking cannot be cancelled." in answer.content.decode()
    assert stale.status_code == 200
    assert staff("booking_agent").post(page(paid, "cancel"), {"confirm": "x"}).status_code == 404


def test_finance_refunds_once_if_the_form_is_sent_twice(paid: BookingView) -> None:
    client = staff("finance")
    form = client.get(page(paid, "refund")).context["form"]
    sent = {"amount": "12.5", "reason": "Sorry", "key": form["key"].value()}

    for _ in range(2):
        assert client.post(page(paid, "refund"), sent).status_code == 302

    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.note, refund.reason) == (1_250, "Sorry", "GIVEN_BY_STAFF")


@pytest.mark.parametrize("amount", ["0", "-1", "1000.01", "1.005", "NaN", ""])
def test_an_invalid_refund_is_refused_on_the_page(paid: BookingView, amount: str) -> None:
    answer = staff("finance").post(page(paid, "refund"), {"amount": amount, "reason": "Sorry", "key": "k"})

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not Refund.objects.exists()


def test_finance_writes_off_a_failed_refund(paid: BookingView, failed: Refund) -> None:
    client = staff("finance")
    asked = {"refund": str(failed.id), "what": "write_off", "reason": "Account closed"}

    assert client.post(page(paid, "failed-refund"), asked).status_code == 302

    assert LedgerEntry.objects.filter(kind="WRITE_OFF").count() == 2
    again = client.post(page(paid, "failed-refund"), asked, follow=True)
    assert "No failed refund waits for a decision." in again.content.decode()


def test_a_departures_page_shows_who_waits(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(capacity=1)
    buyer.book(departure, adults=1)
    waiting = Buyer(destinations)
    waiting.join(departure, seats=2)
    gone = Buyer(destinations)
    leave_waitlist(entry_id=gone.join(departure).id, traveller=gone.who)

    shown = staff("support").get(f"/admin/bookings/seatinventory/{departure}/change/").content.decode()

    assert str(waiting.who.id) in shown
    assert "WAITING" in shown
    assert str(gone.who.id) not in shown


def test_finance_finds_contradicting_webhooks(buyer: Buyer, paid: BookingView) -> None:
    headers, body = webhook(Payment.objects.get(), secret=SECRET, amount=1)
    receive_webhook(provider_name="sandbox", headers=headers, body=body)

    shown = staff("finance").get("/admin/payments/webhook/?outcome__exact=CONTRADICTS").content.decode()

    assert "0.01 EUR" in shown
    assert staff("booking_agent").get("/admin/payments/webhook/").status_code == 403


def test_an_upstream_of_an_older_version_is_treated_as_unavailable(
    paid: BookingView, upstream_answers: dict[str, Any]
) -> None:
    """During an upgrade an upstream may not know an RPC yet. Seen failing (500) if only refusals are caught."""
    upstream_answers |= {"messages": RpcFailed(), "traveller": RpcFailed()}

    assert "notifications_service does not answer now" in staff("support").get(page(paid)).content.decode()
    assert staff("support").get("/admin/bookings/booking/?q=ann@example.org").status_code == 200
