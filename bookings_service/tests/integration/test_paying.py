"""Paying with the sandbox: a payment is recorded first, sent outside of any transaction, and settled once."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import httpx
import pytest
from django.db import IntegrityError, connection, transaction

from bookings_service.bookings.contracts import Seats
from bookings_service.bookings.models import Booking, BookingEvent
from bookings_service.bookings.services import expire_holds, reconcile_due
from bookings_service.bookings.services.payment import pay
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments import ledger
from bookings_service.payments.models import LedgerEntry, Payment, Refund
from bookings_service.payments.providers.sandbox import SandboxProvider
from bookings_service.payments.refusals import (
    AlreadyPaid,
    InvalidPaymentMethod,
    NotPayable,
    PaymentInProgress,
    ProviderUnavailable,
)
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import end_hold, make_payment_stale, make_refunds_due
from shared.errors import KeyReused, NotFound
from shared.outbox.models import OutboxEvent
from shared.testing import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

SeatsOf = Callable[[UUID], Seats]


def types(booking_id: UUID) -> list[str]:
    """Return the types of the booking's history entries, after checking that the outbox has one event for each."""
    entries = list(BookingEvent.objects.filter(booking_id=booking_id).values_list("sequence", "type"))
    events = list(OutboxEvent.objects.filter(key=str(booking_id)).order_by("id").values_list("sequence", "type"))
    assert [(number, f"travel.bookings.{type_}.v1") for number, type_ in entries] == events
    assert [number for number, _ in entries] == list(range(1, len(entries) + 1))
    return [type_ for _, type_ in entries]


def paid(booking_id: UUID) -> tuple[int, int]:
    """Return what the ledger says was paid and what was paid out in refunds, in minor units."""
    return ledger.paid_and_refunded([booking_id]).get(booking_id, (0, 0))


def test_a_paid_booking_is_confirmed_in_one_transaction(
    buyer: Buyer, destinations: Destinations, seats: SeatsOf
) -> None:
    departure = destinations.publish(capacity=5, adult=12_345)
    booking = buyer.book(departure)

    payment, after = buyer.pay(booking)

    assert (payment.status, payment.amount.minor) == ("SUCCEEDED", 24_690)
    assert (after.status, after.reason, after.paid.minor, after.hold_expires_at) == ("CONFIRMED", "PAID", 24_690, None)
    assert seats(departure) == Seats(capacity=5, held=0, sold=2)
    assert types(booking.id) == ["booking.created", "payment.succeeded", "booking.confirmed"]
    assert list(LedgerEntry.objects.values_list("account", "amount_minor")) == [
        ("PROVIDER", 24_690),
        ("TRAVELLER", -24_690),
    ]


def test_a_decline_is_a_failed_payment_and_another_may_follow(
    buyer: Buyer, destinations: Destinations, seats: SeatsOf
) -> None:
    departure = destinations.publish(capacity=5)
    booking = buyer.book(departure)

    payment, after = buyer.pay(booking, "pm_declined")

    assert (payment.status, payment.failure_code) == ("FAILED", "card_declined")
    assert (after.status, after.paid.minor) == ("PENDING", 0)
    assert seats(departure) == Seats(capacity=5, held=2, sold=0)
    assert buyer.pay(booking)[1].status == "CONFIRMED"
    assert types(booking.id) == ["booking.created", "payment.failed", "payment.succeeded", "booking.confirmed"]


def test_the_same_key_pays_once(buyer: Buyer, destinations: Destinations) -> None:
    booking, key = buyer.book(destinations.publish()), str(uuid4())

    first, again = buyer.pay(booking, key=key), buyer.pay(booking, key=key)

    assert first == again
    with pytest.raises(KeyReused):
        buyer.pay(booking, "pm_declined", key=key)
    assert Payment.objects.count() == 1


def test_two_keys_at_once_capture_once(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())

    outcomes = race([lambda: buyer.pay(booking)] * 6)

    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds[tuple] == 1
    assert set(kinds) <= {tuple, PaymentInProgress, AlreadyPaid}
    assert Payment.objects.count() == 1
    assert paid(booking.id)[0] == booking.total.minor


def test_the_database_itself_allows_one_live_payment(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())
    payment, _ = buyer.pay(booking, "pm_action")
    row = Payment.objects.get(id=payment.id)
    row.pk = uuid4()

    with pytest.raises(IntegrityError, match="payment_one_live"), transaction.atomic():
        row.save(force_insert=True)


def test_the_key_is_free_again_if_nothing_was_charged(buyer: Buyer, destinations: Destinations) -> None:
    booking, key = buyer.book(destinations.publish()), str(uuid4())

    with pytest.raises(ProviderUnavailable):
        buyer.pay(booking, "pm_error", key=key)

    assert Payment.objects.get().status == "FAILED"
    assert buyer.pay(booking, "pm_ok", key=key)[1].status == "CONFIRMED"


@pytest.mark.parametrize("method", ["pm_unknown", "", "x" * 101, "pm ok", "pm\x00ok"])
def test_an_unknown_method_is_refused(buyer: Buyer, destinations: Destinations, method: str) -> None:
    booking = buyer.book(destinations.publish())

    with pytest.raises(InvalidPaymentMethod):
        buyer.pay(booking, method)

    assert not Payment.objects.exclude(status="FAILED").exists()
    assert buyer.pay(booking)[1].status == "CONFIRMED"


def test_paid_expired_cancelled_and_foreign_bookings_cannot_be_paid(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations
) -> None:
    owner, other = buyers(2)
    departure = destinations.publish(capacity=20)
    paid_booking, late, cancelled = (owner.book(departure, adults=1) for _ in range(3))
    owner.pay(paid_booking)
    end_hold(late.id)
    owner.cancel(cancelled)

    with pytest.raises(AlreadyPaid):
        owner.pay(paid_booking)
    with pytest.raises(NotPayable):
        owner.pay(late)
    with pytest.raises(NotPayable):
        owner.pay(cancelled)
    with pytest.raises(NotFound):
        other.pay(late)
    assert Payment.objects.count() == 1


def test_the_provider_is_called_outside_of_any_transaction(buyer: Buyer, destinations: Destinations) -> None:
    booking, seen = buyer.book(destinations.publish()), []
    original = SandboxProvider.pay

    def recording(self: SandboxProvider, payment: Any) -> Any:
        seen.append(connection.in_atomic_block)
        return original(self, payment)

    with patch.object(SandboxProvider, "pay", recording):
        buyer.pay(booking)

    assert seen == [False]


def test_an_unanswered_payment_is_processing_until_the_clock_asks(
    buyer: Buyer, destinations: Destinations, seats: SeatsOf
) -> None:
    departure = destinations.publish(capacity=5)
    booking = buyer.book(departure)
    started = time.monotonic()

    payment, after = buyer.pay(booking, "pm_timeout")

    assert time.monotonic() - started < 3.0
    assert (payment.status, after.status) == ("PROCESSING", "PENDING")
    with pytest.raises(PaymentInProgress):
        buyer.pay(booking)
    assert reconcile_due() == 0  # too young
    make_payment_stale(payment.id)
    assert reconcile_due() == 1
    assert Booking.objects.get().status == "CONFIRMED"
    assert seats(departure) == Seats(capacity=5, held=0, sold=2)
    assert reconcile_due() == 0


def test_the_clock_repeats_a_call_lost_in_a_crash_with_the_same_key(
    buyer: Buyer, destinations: Destinations, sandbox: str
) -> None:
    """The process is killed between the payment's commit and the call. The clock calls, and it is charged once."""
    booking = buyer.book(destinations.publish())
    with patch.object(pay, "send_to_provider", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        buyer.pay(booking)
    payment = Payment.objects.get()
    assert payment.status == "CREATED"
    assert httpx.get(f"{sandbox}/v1/payments/{payment.id}").status_code == 404

    make_payment_stale(payment.id)
    reconcile_due()

    assert Booking.objects.get().status == "CONFIRMED"
    assert httpx.get(f"{sandbox}/v1/payments/{payment.id}").json()["status"] == "SUCCEEDED"
    assert paid(booking.id) == (booking.total.minor, 0)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"status": "SUCCEEDED", "amount": "much"}',
        b'{"status": "MAYBE", "amount": 1, "currency": "EUR"}',
    ],
)
def test_the_clock_asks_again_after_an_unreadable_answer(
    buyer: Buyer, destinations: Destinations, answer: bytes
) -> None:
    """Seen failing (an unexpected error) if the form of the answer is not checked."""
    booking = buyer.book(destinations.publish())
    unreadable = httpx.Response(200, content=answer, request=httpx.Request("POST", "http://provider/"))

    with patch.object(httpx.Client, "request", return_value=unreadable):
        payment, _ = buyer.pay(booking)
    assert payment.status == "PROCESSING"
    make_payment_stale(payment.id)
    reconcile_due()

    assert Booking.objects.get().status == "CONFIRMED"


def test_a_payment_that_needs_a_person_has_a_redirect_url(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())

    payment, after = buyer.pay(booking, "pm_action")

    assert (payment.status, after.status) == ("REQUIRES_ACTION", "PENDING")
    page = payment.redirect_url.replace("localhost", "127.0.0.1")
    httpx.post(page, data={"decision": "approve"})
    make_payment_stale(payment.id)
    reconcile_due()
    assert Booking.objects.get().status == "CONFIRMED"


def test_a_live_payment_extends_its_hold_once(buyer: Buyer, destinations: Destinations, seats: SeatsOf) -> None:
    departure = destinations.publish(capacity=5)
    booking = buyer.book(departure)
    buyer.pay(booking, "pm_action")

    end_hold(booking.id)
    expire_holds()
    assert Booking.objects.get().status == "PENDING"
    end_hold(booking.id)
    expire_holds()

    after = Booking.objects.get()
    assert (after.status, after.reason) == ("CANCELLED", "HOLD_EXPIRED")
    assert seats(departure) == Seats(capacity=5, held=0, sold=0)
    assert types(booking.id) == ["booking.created", "booking.hold_extended", "booking.cancelled"]


def pay_after_expiry(buyer: Buyer, departure: UUID) -> Booking:
    """Return a booking whose hold ended while the provider captured its payment without answering."""
    booking = buyer.book(departure)
    payment = buyer.pay_without_answer(booking)
    for _ in range(2):
        end_hold(booking.id)
        expire_holds()
    assert Booking.objects.get(id=booking.id).status == "CANCELLED"
    make_payment_stale(payment.id)
    return Booking.objects.get(id=booking.id)


def test_a_late_payment_confirms_the_booking_if_the_seats_are_free(
    buyer: Buyer, destinations: Destinations, seats: SeatsOf
) -> None:
    departure = destinations.publish(capacity=2)
    booking = pay_after_expiry(buyer, departure)

    reconcile_due()

    booking.refresh_from_db()
    assert (booking.status, booking.reason) == ("CONFIRMED", "PAID")
    assert seats(departure) == Seats(capacity=2, held=0, sold=2)
    assert Refund.objects.count() == 0


def test_a_late_payment_is_refunded_if_the_seats_are_taken(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations, seats: SeatsOf, sandbox: str
) -> None:
    owner, other = buyers(2)
    departure = destinations.publish(capacity=2)
    booking = pay_after_expiry(owner, departure)
    other.book(departure)

    reconcile_due()
    assert pay_out.pay_out_due() == 1
    assert pay_out.pay_out_due() == 0

    booking.refresh_from_db()
    assert (booking.status, booking.reason) == ("CANCELLED", "HOLD_EXPIRED")
    assert seats(departure) == Seats(capacity=2, held=2, sold=0)
    assert paid(booking.id) == (booking.total_minor, booking.total_minor)
    assert types(booking.id)[-2:] == ["payment.succeeded", "refund.succeeded"]
    payment = Payment.objects.get(booking=booking)
    assert httpx.get(f"{sandbox}/v1/payments/{payment.id}").json()["refunded"] == booking.total_minor


def test_a_refund_that_fails_once_is_retried_and_paid_out(
    buyer: Buyer, destinations: Destinations, sandbox: str
) -> None:
    booking = buyer.book(destinations.publish())
    buyer.pay(booking, "pm_refund_fails_once")
    buyer.cancel(booking)

    pay_out.pay_out_due()
    assert Refund.objects.get().status == "CREATED"
    make_refunds_due()
    pay_out.pay_out_due()

    assert Refund.objects.get().status == "SUCCEEDED"
    assert paid(booking.id) == (booking.total.minor, booking.total.minor)
    assert types(booking.id).count("refund.succeeded") == 1


def test_a_booking_whose_hold_ends_during_settlement_is_confirmed(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations, seats: SeatsOf
) -> None:
    """The payment is settled while the hold expires.

    In either order the booking is confirmed and its seats are sold, because the seats are free.
    """
    departure = destinations.publish(capacity=40)
    for owner in buyers(3):
        booking = owner.book(departure)
        payment = owner.pay_without_answer(booking)
        Booking.objects.filter(id=booking.id).update(hold_extended=True)
        end_hold(booking.id)
        make_payment_stale(payment.id)

    race([reconcile_due, expire_holds, reconcile_due, expire_holds])

    assert set(Booking.objects.values_list("status", flat=True)) == {"CONFIRMED"}
    assert seats(departure) == Seats(capacity=40, held=0, sold=6)
