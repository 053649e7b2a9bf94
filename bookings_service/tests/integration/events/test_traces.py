"""One trace from the traveller's request to the events: also if a webhook or the clock completes the work later."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client

from bookings_service.bookings import services
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.payment import reconcile
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments.models import Payment, Refund
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import SECRET, Destinations
from bookings_service.tests.factories import end_hold, make_payment_stale, webhook
from shared.outbox.models import OutboxEvent
from shared.telemetry import bind_request, current_request_id

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

TRACE = f"00-{'a1' * 16}-{'b2' * 8}-01"
OTHER = f"00-{'c3' * 16}-{'d4' * 8}-01"
SETTLED = ("travel.bookings.payment.succeeded.v1", "travel.bookings.booking.confirmed.v1")


def traces(*types: str) -> list[tuple[str, str]]:
    """Return request id and trace of the newest event of each type."""
    rows = [OutboxEvent.objects.filter(type=type_).latest("id") for type_ in types]
    return [(row.request_id, row.traceparent) for row in rows]


def test_a_webhook_continues_the_trace_of_the_payment(
    buyer: Buyer, destinations: Destinations, caplog: pytest.LogCaptureFixture
) -> None:
    """The provider's request has its own id and trace; both ids are logged. Seen failing (its trace) without
    `continued` in settle_payment.
    """
    booking = buyer.book(destinations.publish(capacity=5))
    with bind_request("req-pay", TRACE):
        view, _ = buyer.pay(booking, "pm_action")
    headers, body = webhook(Payment.objects.get(id=view.id), secret=SECRET)

    Client().post(
        "/api/v1/payments/webhooks/sandbox/",
        body,
        content_type="application/json",
        headers={**headers, "X-Request-Id": "req-webhook", "traceparent": OTHER},
    )

    assert traces(*SETTLED) == [("req-pay", TRACE)] * 2
    [entry] = [record.msg for record in caplog.records if "trace.continued" in str(record.msg)]
    assert entry["by_request"] == "req-webhook"
    assert entry["request_id"] == "req-pay"


def test_the_reconciler_continues_the_trace_of_the_payment(buyer: Buyer, destinations: Destinations) -> None:
    """Seen failing (no trace) without `continued` in settle_payment."""
    booking = buyer.book(destinations.publish(capacity=5))
    with bind_request("req-pay", TRACE):
        payment = buyer.pay_without_answer(booking)
    make_payment_stale(payment.id)

    reconcile.reconcile_due()

    assert traces(*SETTLED) == [("req-pay", TRACE)] * 2


def test_a_refund_continues_the_trace_of_the_cancellation(buyer: Buyer, destinations: Destinations) -> None:
    """Seen failing (no trace) without `continued` in settle_refund."""
    booking = buyer.book(destinations.publish(capacity=5))
    with bind_request("req-pay", OTHER):
        buyer.pay(booking)
    with bind_request("req-cancel", TRACE):
        buyer.cancel(booking)

    pay_out.pay_out_due()

    types = "travel.bookings.booking.cancelled.v1", "travel.bookings.refund.succeeded.v1"
    assert traces(*types) == [("req-cancel", TRACE)] * 2


def test_the_refund_of_a_late_payment_continues_the_trace_of_the_payment(
    buyer: Buyer, destinations: Destinations
) -> None:
    departure = destinations.publish(capacity=2)
    booking = buyer.book(departure)
    with bind_request("req-pay", TRACE):
        view, _ = buyer.pay(booking, "pm_action")
    expire(booking.id)
    Buyer(destinations).book(departure)
    Client().post(
        "/api/v1/payments/webhooks/sandbox/",
        (signed := webhook(Payment.objects.get(id=view.id), secret=SECRET))[1],
        content_type="application/json",
        headers=signed[0],
    )

    refund = Refund.objects.get()
    assert (refund.request_id, refund.traceparent) == ("req-pay", TRACE)


def expire(booking_id: UUID) -> None:
    """Let the hold end, and end again after its only extension."""
    for _ in range(2):
        end_hold(booking_id)
        services.expire_holds()


def test_a_hold_that_expires_begins_a_trace(buyer: Buyer, destinations: Destinations) -> None:
    """It is nobody's request. Seen failing (an empty trace) without `bind_request`."""
    with bind_request("req-book", TRACE):
        booking = buyer.book(destinations.publish(capacity=5))
    end_hold(booking.id)

    services.expire_holds()

    [(request_id, traceparent)] = traces("travel.bookings.booking.cancelled.v1")
    assert request_id not in {"", "req-book"}
    assert traceparent not in {"", TRACE}


def test_each_booking_of_a_cancelled_departure_has_a_trace_that_its_refund_continues(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]]
) -> None:
    """Seen failing (empty traces) without `bind_request`."""
    departure = destinations.publish(capacity=5)
    for buyer in buyers(2):
        buyer.pay(buyer.book(departure))
    SeatInventory.objects.filter(departure_id=departure).update(cancelled=True, closed=True)

    services.cancel_bookings_of_cancelled_departures()
    pay_out.pay_out_due()

    events = OutboxEvent.objects.filter(type__contains="cancelled.v1") | OutboxEvent.objects.filter(
        type__contains="refund.succeeded"
    )
    by_booking: dict[str, set[str]] = {}
    for event in events:
        by_booking.setdefault(event.key, set()).add(event.traceparent)
    assert [len(found) for found in by_booking.values()] == [1, 1]
    assert len(set.union(*by_booking.values()) - {""}) == 2


def test_an_offer_of_seats_has_a_trace_of_its_own(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]]
) -> None:
    """It is another traveller's message. Seen failing (the canceller's trace) without `bind_request`."""
    departure = destinations.publish(capacity=2)
    owner, waiting = buyers(2)
    booking = owner.book(departure)
    waiting.join(departure)

    with bind_request("req-cancel", TRACE):
        owner.cancel(booking)
        assert current_request_id() == "req-cancel"

    [(request_id, traceparent)] = traces("travel.bookings.waitlist.offered.v1")
    assert request_id not in {"", "req-cancel"}
    assert traceparent not in {"", TRACE}


def test_a_refund_of_an_older_release_without_a_trace_is_paid_out(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish(capacity=5))
    buyer.pay(booking)
    buyer.cancel(booking)
    Refund.objects.update(request_id="", traceparent="")

    pay_out.pay_out_due()

    [(request_id, traceparent)] = traces("travel.bookings.refund.succeeded.v1")
    assert request_id
    assert traceparent
