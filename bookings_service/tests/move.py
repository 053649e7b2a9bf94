"""Move a departure in the double of destinations_service, and store its new dates as its event does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from bookings_service.bookings import clock, services, upstream
from bookings_service.bookings.models import Booking
from bookings_service.tests.doubles import Destinations
from shared.db import database_now
from shared.deadline import Deadline
from shared.rpc.mapping import from_ts, ts

REASON = "The ferry does not sail on that day."


def move_in_catalogue(
    destinations: Destinations, departure_id: UUID, by: timedelta, *, reason: str = REASON
) -> None:  # fmt: skip
    """Move start and end of the departure in destinations_service. bookings_service does not know it yet."""
    departure = destinations.departures[str(departure_id)].departure
    for stamp in (departure.starts_at, departure.ends_at):
        instant = from_ts(stamp)
        assert instant is not None
        stamp.CopyFrom(ts(instant + by))
    departure.version += 1
    departure.change_reason = reason
    departure.rescheduled_at.CopyFrom(ts(datetime.now(UTC)))


def learn(departure_id: UUID) -> None:
    """Store the departure as destinations_service has it now."""
    snapshot = upstream.departure(departure_id=departure_id, deadline=Deadline.after(5)).snapshot()
    with transaction.atomic():
        services.apply_departure(snapshot=snapshot, now=database_now())


def move(destinations: Destinations, departure_id: UUID, by: timedelta, *, reason: str = REASON) -> None:
    """Move the departure, store its new dates, and let the clock move its bookings."""
    move_in_catalogue(destinations, departure_id, by, reason=reason)
    learn(departure_id)
    clock.run_jobs(clock.DATABASE_LOOP)


def end_free_cancellation(booking_id: UUID) -> None:
    """Make the time of free cancellation end in the past."""
    Booking.objects.filter(id=booking_id).update(free_cancellation_until=database_now() - timedelta(minutes=1))
