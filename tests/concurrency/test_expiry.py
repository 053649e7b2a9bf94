"""A hold that ends while its payment arrives, with a pause of chance at every statement of both: one designed outcome, a thousand times."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.db.models import QuerySet

from bookings_service.bookings import inventory, services
from bookings_service.bookings.contracts import BookingView
from bookings_service.bookings.models import Booking
from bookings_service.bookings.refusals import NotPayable
from bookings_service.payments.domain import PaymentStatus
from bookings_service.payments.models import Payment, Refund
from bookings_service.payments.providers.base import ProviderResult
from bookings_service.payments.services.settle import settle
from bookings_service.tests.conftest import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import end_hold
from shared.db import database_now
from shared.errors import DomainError
from shared.money import Money
from shared.testing import race
from tests.concurrency.invariants import broken
from tests.concurrency.scale import scaled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

RUNS = scaled(reduced=40, whole=1_000)
LONGEST_PAUSE = 0.004


def dawdling(work: Callable[[], Any], *, seed: int) -> Callable[[], Any]:
    """Return `work` with a pause of the seed's before and after every statement it sends."""
    chance = random.Random(seed)

    def pause(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        time.sleep(chance.random() * LONGEST_PAUSE)
        try:
            return execute(sql, params, many, context)
        finally:
            time.sleep(chance.random() * LONGEST_PAUSE)

    def dawdled() -> Any:
        with connection.execute_wrapper(pause):
            return work()

    return dawdled


def processing(booking: BookingView) -> tuple[Payment, ProviderResult]:
    """Return a payment that the provider has taken and not told of yet, and what it will tell."""
    with connection.cursor():
        now = database_now()
    payment = Payment.objects.create(
        booking_id=booking.id, amount_minor=booking.total.minor, currency="EUR", status=PaymentStatus.PROCESSING,
        provider="sandbox", method="pm_ok", idempotency_key="k", asked_at=now, created_at=now,
    )  # fmt: skip
    return payment, ProviderResult(PaymentStatus.SUCCEEDED, Money.from_minor(payment.amount_minor, "EUR"))


def outcome_of(booking: BookingView) -> tuple[str, int, int]:
    """Return how it ended: status, what was captured, what goes back."""
    row = Booking.objects.get(id=booking.id)
    captured = sum(p.amount_minor for p in Payment.objects.filter(booking_id=booking.id, status="SUCCEEDED"))
    return row.status, captured, sum(r.amount_minor for r in Refund.objects.filter(booking_id=booking.id))


def run_of(buyer: Buyer, rival: Buyer, departure: Any, *, seed: int) -> tuple[str, int, int]:
    """Let the clock, the provider's news and a rival for the seats meet over one booking whose hold was extended before."""
    wanted = rival.quote(departure, adults=1) if seed % 2 else None
    booking = buyer.book(departure)
    payment, result = processing(booking)
    Booking.objects.filter(id=booking.id).update(hold_extended=seed % 3 != 0)
    end_hold(booking.id)
    work = [services.expire_holds, lambda: settle(payment_id=payment.id, result=result), services.expire_holds]
    if wanted is not None:
        work.append(lambda: rival.take(wanted))
    outcomes = race([dawdling(one, seed=seed * 10 + index) for index, one in enumerate(work)])
    assert not [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, DomainError)], outcomes
    return outcome_of(booking)


def test_a_hold_that_ends_while_its_payment_arrives(destinations: Destinations, buyers: Any) -> None:
    """Confirmed and paid, or cancelled and all of it on its way back: never seats without money, nor money without seats.

    Every third run the hold may be extended, in every other one somebody else is after the seats. Seen failing (a booking CONFIRMED that
    was cancelled, seats held for nobody) with the booking's lock taken out of settle and expire: the control below.
    """
    ends: Counter[tuple[str, int, int]] = Counter()
    for seed in range(RUNS):
        buyer, rival = buyers(2)
        departure = destinations.offer(capacity=2)
        ends[run_of(buyer, rival, departure, seed=seed)] += 1
        if seed % 20 == 19:
            assert broken() == []

    assert set(ends) <= {("CONFIRMED", 100_000, 0), ("CANCELLED", 100_000, 100_000)}
    assert ends["CONFIRMED", 100_000, 0] > 0
    assert broken() == []


def test_paying_at_the_instant_the_hold_ends(destinations: Destinations, buyers: Any) -> None:
    """A payment begun at the last moment: refused and never charged, or taken and confirmed."""
    for seed in range(RUNS // 4):
        (buyer,) = buyers(1)
        booking = buyer.book(destinations.offer(capacity=2))
        end_hold(booking.id)
        Booking.objects.filter(id=booking.id).update(hold_expires_at=database_now())
        paid, _ = race(
            [dawdling(lambda b=buyer, v=booking: b.pay(v), seed=seed), dawdling(services.expire_holds, seed=seed + 1)]
        )
        status, captured, back = outcome_of(booking)
        if isinstance(paid, Exception):
            assert isinstance(paid, NotPayable)
            assert (status, captured) == ("CANCELLED", 0)
        else:
            assert (status, captured, back) == ("CONFIRMED", 100_000, 0)
        assert not broken()


def test_control_without_the_bookings_lock_the_same_runs_end_badly(destinations: Destinations, buyers: Any) -> None:
    """The race is real: without SELECT FOR UPDATE the same seeds break an invariant, or end in an error of the program."""
    bad = 0
    with _unlocked():
        for seed in range(40):
            buyer, rival = buyers(2)
            try:
                run_of(buyer, rival, destinations.offer(capacity=2), seed=seed)
            except AssertionError:
                bad += 1
            bad += bool(broken())
            if bad:
                break
    inventory.SeatInventory.objects.all().delete()

    assert bad


@contextmanager
def _unlocked() -> Iterator[None]:
    with patch.object(QuerySet, "select_for_update", lambda self, **_: self.all()):
        yield
