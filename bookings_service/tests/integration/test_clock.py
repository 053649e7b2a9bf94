"""The jobs of the clock, and the events of departures."""

import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest.mock import Mock, patch
from uuid import UUID

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from bookings_service.bookings import clock, services
from bookings_service.bookings.contracts import DepartureSnapshot, Seats
from bookings_service.bookings.models import Booking, SeatInventory
from bookings_service.bookings.refusals import CapacityBelowSold
from bookings_service.bookings.services.booking.expire_holds import EXPIRE_HOLDS
from bookings_service.bookings.services.job import Job
from bookings_service.bookings.services.refund import pay_out
from bookings_service.bookings.services.seats import release
from bookings_service.payments.models import Payment, Refund
from bookings_service.payments.providers import configured
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import end_hold, end_offer, end_quote, make_payment_stale, make_refunds_due
from bookings_service.tests.move import learn, move_in_catalogue
from shared.db import database_now
from shared.errors import NotFound
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.testing import eventually, race
from shared.testing.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

SeatsOf = Callable[[UUID], Seats]
CHANGED = "travel.bookings.inventory.changed.v1"


def test_a_hold_that_ends_frees_its_seats(buyer: Buyer, destinations: Destinations, seats: SeatsOf) -> None:
    departure = destinations.publish(capacity=5)
    ended, lasting = buyer.book(departure), buyer.book(departure)
    end_hold(ended.id)

    assert services.expire_holds() == 1

    assert dict(Booking.objects.values_list("id", "status")) == {ended.id: "CANCELLED", lasting.id: "PENDING"}
    assert seats(departure) == Seats(capacity=5, held=2, sold=0)
    assert services.expire_holds() == 0


def test_several_clocks_end_each_hold_once(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations, seats: SeatsOf
) -> None:
    """Four clocks, twelve holds. Seen failing if the rows are read without their lock."""
    departure = destinations.publish(capacity=24)
    for owner in buyers(12):
        end_hold(owner.book(departure).id)

    assert sum(race([services.expire_holds] * 4)) == 12

    assert seats(departure) == Seats(capacity=24, held=0, sold=0)
    assert OutboxEvent.objects.filter(type="travel.bookings.booking.cancelled.v1").count() == 12


def test_seats_are_published_at_most_once_a_second(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations
) -> None:
    departure = destinations.publish(capacity=20)
    owners = buyers(3)
    owners[0].book(departure)
    assert services.publish_inventory() == 1
    for owner in owners[1:]:
        owner.book(departure)

    assert services.publish_inventory() == 0  # published less than a second ago
    SeatInventory.objects.update(published_at=F("published_at") - timedelta(seconds=1))
    assert services.publish_inventory() == 1
    assert services.publish_inventory() == 0

    published = list(OutboxEvent.objects.filter(type=CHANGED).order_by("id"))
    assert [row.sequence for row in published] == sorted({row.sequence for row in published})
    assert '"held":6' in published[-1].value.replace(" ", "")


@contextmanager
def running_clock() -> Iterator[None]:
    """Run the clock in a thread. It must end when it is stopped."""
    stop = threading.Event()
    with in_thread(lambda: clock.run(stop), stop=stop.set) as errors:
        yield
    assert errors == []


def test_a_running_clock_does_due_jobs(buyer: Buyer, destinations: Destinations, seats: SeatsOf) -> None:
    departure = destinations.publish(capacity=5)
    booking = buyer.book(departure)

    with running_clock():
        eventually(lambda: OutboxEvent.objects.filter(type=CHANGED).exists())
        Booking.objects.filter(id=booking.id).update(hold_expires_at=database_now() + timedelta(seconds=0.5))
        started = time.monotonic()
        eventually(lambda: Booking.objects.get().status == "CANCELLED", 6.0)
        assert time.monotonic() - started < 5.0

    assert seats(departure).held == 0


def test_a_failed_job_waits_before_it_runs_again(
    buyer: Buyer, destinations: Destinations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen failing (dozens of runs in half a second) without the pause after a failed job."""
    end_hold(buyer.book(destinations.publish()).id)
    failing = Mock(side_effect=ZeroDivisionError())
    monkeypatch.setattr(clock, "DATABASE_LOOP", clock.Loop((dataclasses.replace(EXPIRE_HOLDS, run=failing),)))

    with running_clock():
        eventually(lambda: failing.called)
        time.sleep(0.5)

    assert failing.call_count == 1


@pytest.mark.parametrize("error", [ZeroDivisionError(), IntegrityError("a row that always fails")])
def test_a_failing_job_does_not_stop_the_other_jobs(
    error: Exception, buyer: Buyer, destinations: Destinations, caplog: pytest.LogCaptureFixture
) -> None:
    """Seen failing with the IntegrityError if every DatabaseError ends the round of jobs."""
    end_hold(buyer.book(destinations.publish()).id)
    failing = dataclasses.replace(EXPIRE_HOLDS, name="failing", run=Mock(side_effect=error))

    clock.run_jobs(clock.Loop((failing, EXPIRE_HOLDS)))

    assert Booking.objects.get().status == "CANCELLED"
    assert "clock.job_failed" in caplog.text


@pytest.mark.parametrize("error", [OperationalError("no connection"), InterfaceError("closed")])
def test_an_unavailable_database_ends_the_round_of_jobs(
    error: Exception, buyer: Buyer, destinations: Destinations
) -> None:
    """Seen failing (nothing raised) if the error is only logged, like that of any other job."""
    end_hold(buyer.book(destinations.publish()).id)
    failing = dataclasses.replace(EXPIRE_HOLDS, run=Mock(side_effect=error))

    with pytest.raises(type(error)):
        clock.run_jobs(clock.Loop((failing, EXPIRE_HOLDS)))

    assert Booking.objects.get().status == "PENDING"


# ---------------------------------------------------------------------------- departures
def snapshot(departure_id: UUID, version: int, capacity: int, **other: bool) -> DepartureSnapshot:
    fields = {"closed": False, "cancelled": False, **other}
    starts_at = database_now() + timedelta(days=9)
    return DepartureSnapshot(
        departure_id, version, capacity, starts_at=starts_at, ends_at=starts_at + timedelta(days=5), **fields
    )


def test_an_older_version_of_a_departure_is_ignored(seats: SeatsOf) -> None:
    departure = uuid7()
    for version, capacity in ((3, 30), (2, 20), (1, 10)):
        with transaction.atomic():
            services.apply_departure(snapshot=snapshot(departure, version, capacity), now=database_now())

    assert seats(departure).capacity == 30
    assert SeatInventory.objects.get().version == 3


def test_a_capacity_that_is_too_small_takes_no_seat_away(
    buyer: Buyer, destinations: Destinations, seats: SeatsOf, caplog: pytest.LogCaptureFixture
) -> None:
    departure = destinations.publish(capacity=9)
    buyer.book(departure, adults=4)

    with transaction.atomic():
        services.apply_departure(snapshot=snapshot(departure, 2, 3), now=database_now())

    assert seats(departure) == Seats(capacity=4, held=4, sold=0)
    assert "alarm:capacity_below_taken" in caplog.text


def test_a_capacity_below_the_taken_seats_is_refused(buyer: Buyer, destinations: Destinations, seats: SeatsOf) -> None:
    departure = destinations.publish(capacity=9)
    buyer.book(departure, adults=4)

    with pytest.raises(CapacityBelowSold) as refused:
        services.set_capacity(departure_id=departure, capacity=3, version=2)
    assert refused.value.params == {"held": 4, "sold": 0}
    assert seats(departure).capacity == 9
    assert services.set_capacity(departure_id=departure, capacity=5, version=2).capacity == 5
    assert (
        services.set_capacity(departure_id=departure, capacity=8, version=1).capacity == 5
    )  # an older version is ignored
    with pytest.raises(NotFound):
        services.set_capacity(departure_id=uuid7(), capacity=5, version=1)


def test_lowering_the_capacity_and_booking_at_once_never_oversell(
    buyers: Callable[[int], list[Buyer]], destinations: Destinations, seats: SeatsOf
) -> None:
    departure = destinations.publish(capacity=6)
    quotes = [(owner, owner.quote(departure, adults=2)) for owner in buyers(3)]

    race(
        [lambda o=owner, q=quote: o.book_quote(q) for owner, quote in quotes]
        + [lambda: services.set_capacity(departure_id=departure, capacity=2, version=2)]
    )

    counters = seats(departure)
    assert 0 <= counters.held <= counters.capacity
    assert counters.held == 2 * Booking.objects.count()


def test_holds_end_while_the_provider_is_silent(
    buyer: Buyer, destinations: Destinations, sandbox: str, settings: Any
) -> None:
    """A call to a silent provider takes a second. A hold that ends meanwhile still expires at once.

    Seen failing (PENDING after 3 s) with the provider's jobs in the same loop as the expiry of holds.
    """
    departure = destinations.publish(capacity=20)
    for person in (Buyer(destinations) for _ in range(5)):
        payment = person.pay_without_answer(person.book(departure, adults=1))
        make_payment_stale(payment.id)
    waiting = buyer.book(departure)
    with _silent_provider(settings) as called, running_clock():
        assert called.wait(5)
        end_hold(waiting.id)
        eventually(lambda: Booking.objects.get(id=waiting.id).status == "CANCELLED", 2.5)
    assert Payment.objects.filter(status="PROCESSING").count() == 5


def test_a_refund_stays_owed_while_the_provider_is_silent(
    buyer: Buyer, destinations: Destinations, sandbox: str, settings: Any
) -> None:
    """After thirty attempts without an answer the refund is still owed.

    Seen failing (FAILED) with a limit on the attempts.
    """
    booking = buyer.pay(buyer.book(destinations.publish()))[1]
    buyer.cancel(booking)
    settings.PAYMENT_SANDBOX_URL = "http://127.0.0.1:9"
    configured.cache_clear()

    for _ in range(30):
        make_refunds_due()
        assert pay_out.pay_out_due() == 1

    assert Refund.objects.get().status == "CREATED"


@contextmanager
def _silent_provider(settings: Any) -> Iterator[threading.Event]:
    """Make the provider accept connections and never answer. The event is set at the first connection."""
    called = threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        settings.PAYMENT_SANDBOX_URL = f"http://127.0.0.1:{listening.getsockname()[1]}"
        configured.cache_clear()

        def accept() -> None:
            with suppress(OSError):
                connections_kept = [listening.accept()]
                called.set()
                while True:
                    connections_kept.append(listening.accept())

        threading.Thread(target=accept, daemon=True).start()
        yield called
    configured.cache_clear()


# ---------------------------------------------------------------------------- when the jobs are due
def test_an_idle_loop_asks_the_database_once_for_all_its_jobs(buyer: Buyer, destinations: Destinations) -> None:
    services.publish_inventory()

    for loop in (clock.DATABASE_LOOP, clock.PROVIDER_LOOP):
        with CaptureQueriesContext(connection) as asked:
            assert clock.seconds_to_next(loop) == clock.LONGEST_SLEEP
        assert len(asked) == 1


@pytest.mark.parametrize("job", [*clock.DATABASE_LOOP.jobs, *clock.PROVIDER_LOOP.jobs], ids=lambda job: job.name)
def test_each_job_is_due_when_it_has_work_and_only_then(
    job: Job, buyers: Callable[[int], list[Buyer]], destinations: Destinations, sandbox: str
) -> None:
    """Seen failing for each job if `earliest` and `now_if_any` find no rows."""
    loop = clock.Loop((job,))
    owner, waiting = buyers(2)
    departure = destinations.publish(capacity=2)
    make_due = {
        "expire_holds": lambda: end_hold(owner.book(departure).id),
        "expire_offers": lambda: _offered(owner, waiting, departure, end_offer),
        "expire_taken_offers": lambda: _offered(
            owner, waiting, departure, lambda _: end_quote(waiting.quote(departure, entry=waiting.join(departure)).id)
        ),
        "offer_to_waiting": lambda: _waiting_for_free_seats(owner, waiting, departure),
        "publish_inventory": lambda: owner.book(departure),
        "cancel_bookings_of_cancelled_departures": lambda: services.mark_cancelled(
            departure_id=owner.book(departure).departure_id
        ),
        "move_bookings_of_moved_departures": lambda: _moved(owner, departure),
        "pay_out": lambda: owner.cancel(owner.pay(owner.book(departure))[1]),
        "reconcile": lambda: make_payment_stale(owner.pay(owner.book(departure), "pm_timeout")[0].id),
    }
    assert clock.seconds_to_next(loop) > 0
    make_due[job.name]()
    assert clock.seconds_to_next(loop) <= 0

    assert job.run() == 1

    assert clock.seconds_to_next(loop) > 0


def _offered(owner: Buyer, waiting: Buyer, departure: UUID, then: Callable[[UUID], object]) -> None:
    booking = owner.book(departure)
    entry = waiting.join(departure)
    owner.cancel(booking)
    then(entry.id)


def _moved(owner: Buyer, departure: UUID) -> None:
    owner.book(departure)
    move_in_catalogue(owner.destinations, departure, timedelta(days=1))
    learn(departure)


def _waiting_for_free_seats(owner: Buyer, waiting: Buyer, departure: UUID) -> None:
    booking = owner.book(departure)
    waiting.join(departure)
    with patch.object(release, "offer_free_seats", lambda **_: 0):
        owner.cancel(booking)
