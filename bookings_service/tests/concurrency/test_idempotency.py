"""Two hundred keys, fifty impatient retries of each at once: two hundred bookings, two hundred charges in the provider's own books."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from bookings_service.bookings.contracts import BookingView, QuoteView
from bookings_service.bookings.models import Booking, BookingEvent
from bookings_service.bookings.services import receive_webhook
from bookings_service.payments.models import LedgerEntry, Payment, Webhook
from bookings_service.tests.concurrency.clock import settle_all_payments
from bookings_service.tests.concurrency.invariants import broken
from bookings_service.tests.concurrency.provider import ProviderRecords, WebhookReceiver
from bookings_service.tests.concurrency.scale import scaled
from bookings_service.tests.concurrency.threads import run_in_threads, with_retries
from bookings_service.tests.concurrency.without_guards import (
    without_constraints,
    without_idempotency,
    without_row_locks,
)
from bookings_service.tests.conftest import Buyer
from bookings_service.tests.doubles import Destinations
from shared.testing import eventually

pytestmark = pytest.mark.django_db(transaction=True)

KEYS, RETRIES = scaled(reduced=10, whole=200), scaled(reduced=20, whole=50)
Buyers = Callable[[int], list[Buyer]]
Task = Callable[[], Any]


def retried(attempts: list[Task], times: int = RETRIES) -> list[Any]:
    """Do each of `attempts` so many times, all of them at once and mixed; return what each returned or raised."""
    tasks = attempts * times
    random.Random(7).shuffle(tasks)
    return run_in_threads(tasks)


def quoted(destinations: Destinations, buyers: Buyers, *, count: int = KEYS) -> list[tuple[Buyer, QuoteView]]:
    departure = destinations.offer(capacity=count * RETRIES)
    return [(buyer, buyer.quote(departure, adults=1)) for buyer in buyers(count)]


def take(buyer: Buyer, quote: QuoteView) -> Task:
    return lambda: with_retries(lambda: buyer.book_quote(quote, key=str(quote.id)))


def pay(buyer: Buyer, booking: BookingView) -> Task:
    return lambda: with_retries(lambda: buyer.pay(booking, key=f"pay-{booking.id}"))


def test_a_key_books_once_and_charges_once(
    destinations: Destinations, buyers: Buyers, provider_records: ProviderRecords, webhook_receiver: WebhookReceiver
) -> None:
    """Every retry is answered with the one booking and the one payment; the provider's webhooks, thrice each at once, add nothing.

    Seen failing (QuoteUsed for a retry) without the key's lock, and without what it finds under it; the controls below show more every time.
    """
    ready, before = quoted(destinations, buyers), provider_records.all_keys()

    booked = retried([take(buyer, quote) for buyer, quote in ready])
    assert {type(one) for one in booked} == {BookingView}
    bookings = {one.id: one for one in booked}
    assert len(bookings) == Booking.objects.count() == BookingEvent.objects.count() == KEYS

    owners = {buyer.who.id: buyer for buyer, _ in ready}
    paid = retried([pay(owners[view.traveller_id], view) for view in bookings.values()])
    assert not [one for one in paid if isinstance(one, Exception)]
    settle_all_payments()  # in a rush the provider may answer too late for the one who pays; the clock asks after it
    made = {str(key) for key in Payment.objects.values_list("id", flat=True)}
    assert {str(payment.id) for payment, _ in paid} == made
    assert len(made) == KEYS

    assert eventually(lambda: made <= webhook_receiver.payment_keys(), 60.0)
    told = retried([lambda n=news: hear(*n) for news in webhook_receiver.received], 3)
    assert not [one for one in told if isinstance(one, Exception)]
    assert list(Webhook.objects.values_list("outcome", flat=True)) == ["NOTHING_NEW"] * KEYS  # each of them once

    assert provider_records.all_keys() - before == made
    assert {key: provider_records.charged()[key] for key in made} == dict.fromkeys(made, 50_000)
    assert LedgerEntry.objects.filter(kind="CAPTURE", account="PROVIDER").count() == KEYS
    assert set(Booking.objects.values_list("status", flat=True)) == {"CONFIRMED"}
    assert broken() == []


def hear(headers: dict[str, str], body: bytes) -> None:
    receive_webhook(provider_name="sandbox", headers=headers, body=body)


def test_control_without_the_keys_memory_a_retry_is_refused_as_another_request(
    destinations: Destinations, buyers: Buyers, sandbox: str
) -> None:
    """A retry then no longer gets its booking: the quote's own guard refuses what it makes."""
    ready = quoted(destinations, buyers, count=2)
    with without_idempotency():
        outcomes = retried([take(buyer, quote) for buyer, quote in ready])

    assert sum(isinstance(one, BookingView) for one in outcomes) == len(ready) < len(outcomes)


def test_control_without_the_keys_memory_a_declined_card_is_tried_again(
    destinations: Destinations, buyers: Buyers, provider_records: ProviderRecords, webhook_receiver: WebhookReceiver
) -> None:
    """A declined payment that is retried under its key is the same decline; forgotten, the provider is asked each time."""
    (buyer, quote), *_ = quoted(destinations, buyers, count=1)
    booking, before = buyer.book_quote(quote), provider_records.all_keys()
    for _ in range(3):
        buyer.pay(booking, "pm_declined", key="once")
    assert len(provider_records.all_keys() - before) == 1

    with without_idempotency():
        for _ in range(3):
            buyer.pay(booking, "pm_declined", key="once")

    assert len(provider_records.all_keys() - before) == 4


def test_control_without_key_locks_and_constraints_a_traveller_books_twice_and_is_charged_twice(
    destinations: Destinations, buyers: Buyers, provider_records: ProviderRecords, webhook_receiver: WebhookReceiver
) -> None:
    """The race is real: behind the key stand the rows' locks, behind those the constraints; without all three it is lost."""
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
        found = broken()

    assert len({one.id for one in booked if isinstance(one, BookingView)}) > 1
    assert len(provider_records.charged().keys() - before) > 1
    assert f"a quote that was used is one booking: {quote.id}" in found
