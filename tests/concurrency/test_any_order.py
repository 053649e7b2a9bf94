"""Everything that can happen to bookings, in any order, against a small model: after every step the invariants hold, and so do the model's sums.

The model knows a few departures, who booked what of them, and what came and went of money; it knows no locks, no events, no ledger.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bookings_service.bookings import inventory, services
from bookings_service.bookings.contracts import BookingView, DepartureSnapshot, WaitlistView
from bookings_service.bookings.models import Booking, Quote, SeatInventory
from bookings_service.bookings.refusals import CapacityBelowSold, QuoteOutdated, SeatsAvailable
from bookings_service.payments import refunding
from bookings_service.payments.models import Payment, Refund
from bookings_service.payments.services import receive_webhook, reconcile_due, refund_booking
from bookings_service.tests.conftest import SECRET, Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import end_hold, end_offer, end_quote, long_ago, refunds_due, webhook
from shared.db import database_now
from shared.errors import DomainError
from shared.ids import uuid7
from shared.money import Money
from tests.concurrency.invariants import broken
from tests.concurrency.scale import WHOLE, scaled

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES, STEPS = scaled(reduced=8, whole=200), scaled(reduced=30, whole=60)
STAFF = uuid7()
TABLES = "bookings_booking, bookings_quote, bookings_seatinventory, bookings_waitlistentry, payments_webhook, outbox_outboxevent, idempotency_idempotencykey"


@dataclass
class Trip:
    """A departure as the model sees it."""

    id: UUID
    capacity: int
    version: int = 1
    cancelled: bool = False


@dataclass
class Held:
    """A booking as the model sees it: who has it, what it costs, and the news of its payments that are still on their way."""

    owner: Buyer
    view: BookingView
    trip: Trip
    news: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


def tolerant(act: Callable[..., Any]) -> Callable[..., Any]:
    """Let a rule be refused: a refusal is an answer, an error of the program is not."""

    def acted(self: Any, **drawn: Any) -> None:
        with suppress(DomainError):
            act(self, **drawn)

    acted.__name__ = act.__name__
    return acted


PICK = st.integers(0, 10_000)
PARTY = st.integers(1, 3)
SOMEBODY_BOOKED = precondition(lambda self: self.held)
SOMEBODY_WAITS = precondition(lambda self: self.entries)


class AnyOrder(RuleBasedStateMachine):
    """One example: two departures, three travellers, and whatever happens."""

    destinations: ClassVar[Destinations]
    buyers: ClassVar[list[Buyer]]

    @initialize(capacities=st.lists(st.integers(1, 6), min_size=2, max_size=2))
    def begin(self, capacities: list[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        self.destinations.departures.clear()
        self.trips = [Trip(self.destinations.offer(capacity=seats, policy=((1, 50),)), seats) for seats in capacities]
        self.held: list[Held] = []
        self.entries: list[tuple[Buyer, WaitlistView]] = []
        self.people = [Buyer(self.destinations) for _ in range(3)]
        for person, trip in zip(self.people, self.trips, strict=False):
            held = Held(person, person.take(person.quote(trip.id, adults=1)), trip)
            self.held.append(held)
            with suppress(SeatsAvailable):
                self.entries.append((self.people[2], self.people[2].join(trip.id, seats=trip.capacity)))
        self.pay(which=0, method="pm_ok")

    # ------------------------------------------------------------ travellers
    @rule(who=PICK, where=PICK, seats=PARTY)
    @tolerant
    def book(self, who: int, where: int, seats: int) -> None:
        owner, trip = self.people[who % 3], self.trips[where % 2]
        view = owner.take(owner.quote(trip.id, adults=seats))
        self.held.append(Held(owner, view, trip))

    @SOMEBODY_BOOKED
    @rule(which=PICK, method=st.sampled_from(["pm_ok", "pm_ok", "pm_declined", "pm_slow", "pm_error"]))
    @tolerant
    def pay(self, which: int, method: str) -> None:
        held = self._one(which)
        payment, _ = held.owner.pay(held.view, method)
        row = Payment.objects.get(id=payment.id)
        told = "FAILED" if method == "pm_declined" else "SUCCEEDED"
        held.news.append(webhook(row, secret=SECRET, status=told))

    @SOMEBODY_BOOKED
    @rule(which=PICK, some=st.lists(st.integers(0, 3), max_size=3))
    @tolerant
    def cancel(self, which: int, some: list[int]) -> None:
        held = self._one(which)
        held.owner.cancel(held.view, *{held.view.passengers[n % len(held.view.passengers)].id for n in some})

    @SOMEBODY_BOOKED
    @rule(which=PICK, other=PICK)
    def cancel_on_an_old_quote(self, which: int, other: int) -> None:
        """What was quoted before something else happened is confirmed as quoted, or outdated."""
        held = self._one(which)
        with suppress(DomainError):
            quote = services.quote_cancellation(
                reference=held.view.reference, passenger_ids=(), traveller=held.owner.who
            )
            self.give_back(which=which, minor=other)
            with suppress(QuoteOutdated):
                services.cancel_booking(cancellation_quote_id=quote.id, traveller=held.owner.who)

    @SOMEBODY_BOOKED
    @rule(which=PICK)
    @tolerant
    def rename(self, which: int) -> None:
        held = self._one(which)
        services.rename_passenger(
            passenger_id=held.view.passengers[0].id, first_name="Ann", last_name=f"Lee{'e' * (which % 5)}",
            traveller=held.owner.who,
        )  # fmt: skip

    # ------------------------------------------------------------ the line
    @rule(who=PICK, where=PICK, seats=PARTY)
    @tolerant
    def join(self, who: int, where: int, seats: int) -> None:
        owner = self.people[who % 3]
        self.entries.append((owner, owner.join(self.trips[where % 2].id, seats=seats)))

    @SOMEBODY_WAITS
    @rule(which=PICK)
    @tolerant
    def leave(self, which: int) -> None:
        owner, entry = self._entry(which)
        services.leave_waitlist(entry_id=entry.id, traveller=owner.who)

    @SOMEBODY_WAITS
    @rule(which=PICK, seats=PARTY, books=st.booleans())
    @tolerant
    def take_the_offer(self, which: int, seats: int, books: bool) -> None:
        owner, entry = self._entry(which)
        quote = owner.quote(entry.departure_id, adults=min(seats, entry.seats), entry=entry)
        if books:
            trip = next(trip for trip in self.trips if trip.id == entry.departure_id)
            self.held.append(Held(owner, owner.take(quote), trip))

    @SOMEBODY_WAITS
    @rule(which=PICK)
    def an_offer_ends(self, which: int) -> None:
        _, entry = self._entry(which)
        end_offer(entry.id)
        services.expire_offers()

    @rule()
    def quotes_end(self) -> None:
        for quote_id in Quote.objects.filter(used_at__isnull=True).values_list("id", flat=True):
            end_quote(quote_id)
        services.expire_taken_offers()

    # ------------------------------------------------------------ the provider
    @SOMEBODY_BOOKED
    @rule(which=PICK, times=st.integers(1, 3), last_first=st.booleans())
    def news_arrive(self, which: int, times: int, last_first: bool) -> None:
        """Webhooks come late, more than once, and in another order than they were sent."""
        held = self._one(which)
        if not held.news:
            return
        headers, body = held.news[-1 if last_first else 0]
        for _ in range(times):
            receive_webhook(provider_name="sandbox", headers=headers, body=body)

    @SOMEBODY_BOOKED
    @rule(which=PICK, status=st.sampled_from(["SUCCEEDED", "FAILED", "PROCESSING"]), more=st.integers(0, 1))
    def strange_news_arrive(self, which: int, status: str, more: int) -> None:
        """What contradicts is kept for finance and changes nothing that has ended."""
        held = self._one(which)
        payment = Payment.objects.filter(booking_id=held.view.id).order_by("-id").first()
        if payment is None or (payment.status == "PROCESSING" and not more):
            return
        headers, body = webhook(payment, secret=SECRET, status=status, amount=payment.amount_minor + more)
        receive_webhook(provider_name="sandbox", headers=headers, body=body)

    @rule()
    def the_provider_is_asked(self) -> None:
        for payment_id in Payment.objects.values_list("id", flat=True):
            long_ago(payment_id)
        reconcile_due()

    @rule()
    def refunds_are_paid_out(self) -> None:
        refunds_due()
        refunding.pay_out_due()

    @SOMEBODY_BOOKED
    @rule(which=PICK, minor=st.integers(1, 60_000))
    @tolerant
    def staff_give_back(self, which: int, minor: int) -> None:
        self.give_back(which=which, minor=minor)

    # ------------------------------------------------------------ time, and the catalogue
    @SOMEBODY_BOOKED
    @rule(which=PICK)
    def a_hold_ends(self, which: int) -> None:
        end_hold(self._one(which).view.id)
        services.expire_holds()

    @rule(where=PICK, capacity=st.integers(0, 8))
    def the_capacity_is_asked_for(self, where: int, capacity: int) -> None:
        trip = self.trips[where % 2]
        with suppress(CapacityBelowSold):
            services.set_capacity(departure_id=trip.id, capacity=capacity, version=trip.version + 1)
            trip.version, trip.capacity = trip.version + 1, capacity
            self._offer(trip)

    @rule(where=PICK, capacity=st.integers(0, 8), behind=st.integers(-2, 1))
    def the_catalogue_tells(self, where: int, capacity: int, behind: int) -> None:
        """News of a departure come late and out of order; a cut that does not fit becomes held + sold."""
        trip = self.trips[where % 2]
        version = max(1, trip.version + behind)
        snapshot = self._snapshot(trip, version, capacity)
        with transaction.atomic():
            services.learn_departure(snapshot=snapshot, now=database_now())
        if version >= trip.version:
            trip.version = version
            trip.capacity = inventory.seats_of(departure_id=trip.id).capacity
            self._offer(trip)

    @rule(where=PICK, sure=st.integers(0, 5))
    def a_departure_is_cancelled(self, where: int, sure: int) -> None:
        trip = self.trips[where % 2]
        if sure:
            return
        trip.cancelled = True
        services.close_departure(departure_id=trip.id)
        services.cancel_bookings_of_cancelled()
        services.expire_offers()

    # ------------------------------------------------------------ what always holds
    @invariant()
    def nothing_is_broken(self) -> None:
        assert broken() == []

    @invariant()
    def the_model_agrees(self) -> None:
        for held in getattr(self, "held", ()):
            now = Booking.objects.get(id=held.view.id)
            captured = sum(
                Payment.objects.filter(booking=now, status="SUCCEEDED").values_list("amount_minor", flat=True)
            )
            back = sum(Refund.objects.filter(booking=now).values_list("amount_minor", flat=True))
            assert back <= captured
            assert captured % now.total_minor == 0
            if now.status == "CONFIRMED":
                assert captured == now.total_minor
                assert not held.trip.cancelled
            elif now.reason in ("HOLD_EXPIRED", "PAYMENT_FAILED"):
                assert back == captured  # paid too late, or not at all: nothing is kept
            elif now.status == "PENDING":
                assert captured == 0
        for trip in getattr(self, "trips", ()):
            row = SeatInventory.objects.filter(departure_id=trip.id).first()
            assert row is None or row.capacity == trip.capacity

    def teardown(self) -> None:
        if hasattr(self, "trips"):
            self.nothing_is_broken()

    # ------------------------------------------------------------ helpers
    def give_back(self, *, which: int, minor: int) -> None:
        refund_booking(
            reference=self._one(which).view.reference, amount=Money.from_minor(minor + 1, "EUR"), reason="Sorry",
            staff_id=STAFF, idempotency_key=str(uuid4()),
        )  # fmt: skip

    def _one(self, which: int) -> Held:
        return self.held[which % len(self.held)]

    def _entry(self, which: int) -> tuple[Buyer, WaitlistView]:
        return self.entries[which % len(self.entries)]

    def _snapshot(self, trip: Trip, version: int, capacity: int) -> DepartureSnapshot:
        starts_at = self.destinations.departures[str(trip.id)].departure.starts_at.ToDatetime(UTC)
        return DepartureSnapshot(trip.id, version, capacity, closed=False, cancelled=False, starts_at=starts_at)

    def _offer(self, trip: Trip) -> None:
        """Have the catalogue answer as it tells."""
        departure = self.destinations.departures[str(trip.id)].departure
        departure.version, departure.capacity = trip.version, trip.capacity


@pytest.fixture
def quick(sandbox: str, settings: Any) -> Iterator[None]:
    """A sandbox that is not waited for."""
    settings.HOLD_LIMIT_BOOKINGS = settings.HOLD_LIMIT_SEATS = 0
    settings.PROVIDER_SECONDS = 0.1
    yield


@pytest.mark.usefixtures("users", "quick")
def test_in_any_order(destinations: Destinations) -> None:
    """Seen failing within a few examples for each of: offers.offer_free_seats without `closed`, settle without its amount check, `left`
    without what is given back, release_held left out of retake, `cancelled` not kept by inventory.learn.
    """
    AnyOrder.destinations = destinations
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, derandomize=not WHOLE,
            phases=[Phase.generate, Phase.shrink] if WHOLE else [Phase.generate],
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip
