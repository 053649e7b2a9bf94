"""Many concurrent retries under two hundred keys: two hundred bookings, and two hundred charges at the provider."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from bookings_service.bookings.contracts import BookingView, QuoteView
from bookings_service.bookings.models import Booking, BookingEvent
from bookings_service.bookings.services import receive_webhook
from bookings_service.payments.models import LedgerEntry, Payment, Webhook
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.concurrency.clock import settle_all_payments
from bookings_service.tests.concurrency.invariants import broken
from bookings_service.tests.concurrency.provider import ProviderRecords, WebhookReceiver
from bookings_service.tests.concurrency.threads import run_in_threads, with_retries
from bookings_service.tests.concurrency.without_guards import (
    without_constraints,
    without_idempotency,
    without_row_locks,
)
from bookings_service.tests.doubles import Destinations
from shared.testing import eventually
from shared.testing.scale import scaled

pytestmark = pytest.mark.django_db(transaction=True)

KEYS, RETRIES = scaled(reduced=10, whole=200), scaled(reduced=20, whole=50)
Buyers = Callable[[int], list[Buyer]]
Task = Callable[[], Any]


def retried(attempts: list[Task], times: int = RETRIES) -> list[Any]:
    """Run each attempt `times` times, concurrently and in a mixed order. Return what each returned or raised."""
    tasks = attempts * times
    random.Random(7).shuffle(tasks)
    return run_in_threads(tasks)


def quoted(destinations: Destinations, buyers: Buyers, *, count: int = KEYS) -> list[tuple[Buyer, QuoteView]]:
    departure = destinations.publish(capacity=count * RETRIES)
    return [(buyer, buyer.quote(departure, adults=1)) for buyer in buyers(count)]


def take(buyer: Buyer, quote: QuoteView) -> Task:
    return lambda: with_retries(lambda: buyer.book_quote(quote, key=str(quote.id)))


def pay(buyer: Buyer, booking: BookingView) -> Task:
    return lambda: with_retries(lambda: buyer.pay(booking, key=f"pay-{booking.id}"))


def test_a_key_books_once_and_charges_once(
    destinations: Destinations, buyers: Buyers, provider_records: ProviderRecords, webhook_receiver: WebhookReceiver
) -> None:
    """Every retry returns the same booking and payment. Webhooks delivered three times at once add nothing.

    Seen failing (QuoteUsed for a retry) without the key's lock, and without the key's result. The controls below show
    what else would go wrong.
    """
    ready, before = quoted(destinations, buyers), provider_records.all_keys()

    booked = retried([take(buyer, quote) for buyer, quote in ready])
    assert {type(outcome) for outcome in booked} == {BookingView}
    bookings = {view.id: view for view in booked}
    assert len(bookings) == Booking.objects.count() == BookingEvent.objects.count() == KEYS

    owners = {buyer.who.id: buyer for buyer, _ in ready}
    paid = retried([pay(owners[view.traveller_id], view) for view in bookings.values()])
    assert not [outcome for outcome in paid if isinstance(outcome, Exception)]
    settle_all_payments()  # under load the provider may answer too late; the clock then asks for the result
    made = {str(key) for key in Payment.objects.values_list("id", flat=True)}
    assert {str(payment.id) for payment, _ in paid} == made
    assert len(made) == KEYS

    assert eventually(lambda: made <= webhook_receiver.payment_keys(), 60.0)
    delivered = retried([lambda w=webhook: deliver(*w) for webhook in webhook_receiver.received], 3)
    assert not [outcome for outcome in delivered if isinstance(outcome, Exception)]
    assert list(Webhook.objects.values_list("outcome", flat=True)) == ["NOTHING_NEW"] * KEYS  # each is recorded once

    assert provider_records.all_keys() - before == made
    assert {key: provider_records.charged()[key] for key in made} == dict.fromkeys(made, 50_000)
    assert LedgerEntry.objects.filter(kind="CAPTURE", account="PROVIDER").count() == KEYS
    assert set(Booking.objects.values_list("status", flat=True)) == {"CONFIRMED"}
    assert broken() == []


def deliver(headers: dict[str, str], body: bytes) -> None:
    receive_webhook(provider_name="sandbox", headers=headers, body=body)


def test_control_without_keys_a_retry_is_refused_because_the_quote_is_used(
    destinations: Destinations, buyers: Buyers, sandbox: str
) -> None:
    """A retry then no longer returns the booking: it is refused because the quote is used."""
    ready = quoted(destinations, buyers, count=2)
    with without_idempotency():
        outcomes = retried([take(buyer, quote) for buyer, quote in ready])

    assert sum(isinstance(outcome, BookingView) for outcome in outcomes) == len(ready) < len(outcomes)


def test_control_without_keys_a_declined_card_is_tried_again(
    destinations: Destinations, buyers: Buyers, provider_records: ProviderRecords, webhook_receiver: WebhookReceiver
) -> None:
    """With the key, a retry returns the same decline. Without it, each retry asks the provider again."""
    (buyer, quote), *_ = quoted(destinations, buyers, count=1)
    booking, before = buyer.book_quote(quote), provider_records.all_keys()
    for _ in range(3):
        buyer.pay(booking, "pm_declined", key="once")
    assert len(provider_records.all_keys() - before) == 1

    with without_idempotency():
        for _ in range(3):
            buyer.pay(booking, "pm_declined", key="once")

    assert len(provider_records.all_keys() - before) == 4


def test_control_without_the_key_the_locks_and_the_constraints_a_traveller_pays_twice(
    destinations: Destinations, buyers: Buyers, provider_records: ProviderRecords, webhook_receiver: WebhookReceiver
) -> None:
    """The race is real: without the key, the row locks and the constraints, a traveller books and pays twice."""
    (buyer, quote), (other, theirs) = quoted(destinations, buyers, count=2)
    booking, before = other.book_quote(theirs), provider_records.charged().keys()
    with (
        without_constraints("bookings_booking_quote_id_key", "payment_one_live"),
        without_row_locks(),
        without_idempotency(),
    ):
        booked = retried([take(buyer, quote)])
        retried([pay(other, booking)])
        settle_all_payments()
        problems = broken()

    assert len({outcome.id for outcome in booked if isinstance(outcome, BookingView)}) > 1
    assert len(provider_records.charged().keys() - before) > 1
    assert f"a used quote has exactly one booking: {quote.id}" in problems
