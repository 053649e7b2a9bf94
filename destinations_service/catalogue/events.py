"""The catalogue's events: a departure as it is at one version, and what of the rest of the catalogue changed."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from google.protobuf.message import Message

from contracts.travel.events.v1 import destinations_pb2 as pb
from destinations_service.catalogue.models import Departure, Destination, Trip
from shared.money import Money
from shared.outbox import publish
from shared.rpc.mapping import money_to_proto, ts

# The key of events about exchange rates, which have one list for the whole catalogue.
EXCHANGE_RATES: Final = UUID("01a22fbb-6343-762d-8c78-33f000000000")
_STATES = {
    "OPEN": pb.DEPARTURE_STATE_OPEN,
    "CLOSED": pb.DEPARTURE_STATE_CLOSED,
    "CANCELLED": pb.DEPARTURE_STATE_CANCELLED,
}


def snapshot(departure: Departure) -> pb.DepartureSnapshot:
    """Return the departure as bookings_service copies it."""
    currency = departure.trip.currency
    return pb.DepartureSnapshot(
        departure_id=str(departure.id),
        trip_id=str(departure.trip_id),
        version=departure.version,
        capacity=departure.capacity,
        state=_STATES[departure.status],
        starts_at=ts(departure.starts_at),
        ends_at=ts(departure.ends_at),
        time_zone=departure.time_zone,
        adult_price=money_to_proto(Money.rounded(departure.adult_price, currency)),
        child_price=money_to_proto(Money.rounded(departure.child_price, currency)),
        rescheduled_at=ts(departure.rescheduled_at),
        change_reason=departure.change_reason,
    )


def scheduled(departure: Departure) -> pb.DepartureScheduled:
    """Return the event of a new departure."""
    return pb.DepartureScheduled(departure=snapshot(departure))


def changed(departure: Departure) -> pb.DepartureChanged:
    """Return the event of a changed departure."""
    return pb.DepartureChanged(departure=snapshot(departure))


def cancelled(departure: Departure) -> pb.DepartureCancelled:
    """Return the event of a cancelled departure."""
    return pb.DepartureCancelled(departure=snapshot(departure))


def publish_departure(departure: Departure, message: Message) -> None:
    """Publish `message` about a departure. The caller holds the departure's row lock."""
    publish(message, aggregate_id=departure.id, sequence=departure.version, occurred_at=datetime.now(UTC))


def publish_destination(destination: Destination) -> None:
    """Publish that a destination changed. The caller holds its row lock."""
    message = pb.DestinationChanged(
        destination_id=str(destination.id), slug=destination.slug, version=destination.version
    )
    publish(message, aggregate_id=destination.id, sequence=destination.version, occurred_at=datetime.now(UTC))


def publish_trip(trip: Trip) -> None:
    """Publish that a trip changed. The caller holds its row lock."""
    message = pb.TripChanged(trip_id=str(trip.id), slug=trip.slug, version=trip.version)
    publish(message, aggregate_id=trip.id, sequence=trip.version, occurred_at=datetime.now(UTC))


def publish_exchange_rates(*, version: int) -> None:
    """Publish that exchange rates changed. The caller holds the lock of their list."""
    message = pb.ExchangeRatesChanged(version=version)
    publish(message, aggregate_id=EXCHANGE_RATES, sequence=version, occurred_at=datetime.now(UTC))
