"""Two hundred keys, fifty impatient retries of each at once: two hundred bookings, two hundred charges."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from bookings_service.bookings.contracts import BookingView, QuoteView
from bookings_service.bookings.models import Booking, BookingEvent
from bookings_service.payments.models import LedgerEntry, Payment
from bookings_service.tests.conftest import Buyer
from bookings_service.tests.doubles import Destinations
from shared.errors import InFlight
from shared.idempotency.attempts import Attempt
from tests.concurrency.crowd import crowd
from tests.concurrency.invariants import broken
from tests.concurrency.scale import scaled

pytestmark = pytest.mark.django_db(transaction=True)

KEYS, RETRIES = scaled(reduced=10, whole=200), scaled(reduced=12, whole=50)
Charges = Callable[[], dict[str, int]]


def patiently(attempt: Callable[[], Any]) -> Any:
    """Do as a client does that was told to come back in a moment."""
    for _ in range(200):
        try:
            return attempt()
        except InFlight:
            time.sleep(0.02)
    raise AssertionError("in flight for ever")


def mixed(tasks: list[Callable[[], Any]]) -> list[Callable[[], Any]]:
    random.Random(7).shuffle(tasks)
    return tasks


def quoted(destinations: Destinations, buyers: Callable[[int], list[Buyer]]) -> list[tuple[Buyer, QuoteView]]:
    departure = destinations.offer(capacity=KEYS)
    return [(buyer, buyer.quote(departure, adults=1)) for buyer in buyers(KEYS)]


def test_a_key_books_once_and_charges_once(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]], charges: Charges
) -> None:
    """Seen failing, as the controls below show every time, without the key's lock and what it finds under it."""
    ready, before = quoted(destinations, buyers), charges()

    booked = crowd(
        mixed([lambda b=b, q=q: patiently(lambda: b.take(q, key=str(q.id))) for b, q in ready for _ in range(RETRIES)])
    )
    assert {type(one) for one in booked} == {BookingView}
    bookings = {one.id: one for one in booked if isinstance(one, BookingView)}
    assert len(bookings) == Booking.objects.count() == BookingEvent.objects.count() == KEYS

    owners = {buyer.who.id: buyer for buyer, _ in ready}
    paid = crowd(
        mixed(
            [
                lambda v=view, b=owners[view.traveller_id]: patiently(lambda: b.pay(v, key=f"pay-{v.id}"))
                for view in bookings.values()
                for _ in range(RETRIES)
            ]
        )
    )
    assert not [one for one in paid if isinstance(one, Exception)]
    made = {str(key) for key in Payment.objects.values_list("id", flat=True)}
    charged = {key: amount for key, amount in charges().items() if key not in before}
    assert len(made) == KEYS
    assert charged == dict.fromkeys(made, 50_000)
    assert LedgerEntry.objects.filter(kind="CAPTURE", account="PROVIDER").count() == KEYS
    assert set(Booking.objects.values_list("status", flat=True)) == {"CONFIRMED"}
    assert broken() == []


def test_control_without_the_lock_and_the_result_a_retry_is_refused_as_another_request(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]], sandbox: str
) -> None:
    """A retry then no longer gets its booking: what it makes is refused by the quote's own guard, or by the key's row."""
    ready = quoted(destinations, buyers)[:2]
    with _forgetful():
        outcomes = crowd([lambda b=b, q=q: b.take(q, key=str(q.id)) for b, q in ready for _ in range(RETRIES)])

    assert sum(isinstance(one, BookingView) for one in outcomes) == len(ready) < len(outcomes)


def test_control_without_the_lock_and_the_result_a_traveller_is_charged_again(
    destinations: Destinations, buyers: Callable[[int], list[Buyer]], charges: Charges
) -> None:
    """A declined payment that is retried is tried anew, under the same key: the provider is asked more than once."""
    (buyer, quote), *_ = quoted(destinations, buyers)
    booking = buyer.take(quote)
    with _forgetful():
        for _ in range(3):
            buyer.pay(booking, "pm_declined", key="once")

    assert Payment.objects.count() == 3


@contextmanager
def _forgetful() -> Iterator[None]:
    """Take out the key's lock, what it remembers, and its row."""

    @contextmanager
    def unlocked(self: Attempt) -> Iterator[None]:
        yield

    def forget(self: Attempt, *, result: UUID) -> None:
        return None

    with (
        patch.object(Attempt, "lock", unlocked),
        patch.object(Attempt, "earlier_result", lambda self: None),
        patch.object(Attempt, "succeeded", forget),
    ):
        yield
