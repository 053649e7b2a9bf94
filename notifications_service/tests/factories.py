"""Events as other services publish them, and the notifications that their handlers make."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import bookings_pb2
from notifications_service.notifications import consumers
from notifications_service.notifications.models import Notification
from shared.cloudevents import Envelope, to_json
from shared.events import event_type
from shared.ids import uuid7
from shared.kafka import Received
from shared.kafka.handlers import registered
from shared.rpc.mapping import ts

STARTS_AT = datetime(2027, 4, 17, 8, 30, tzinfo=UTC)


def eur(minor: int) -> common_pb2.Money:
    """Return an amount in euro cents."""
    return common_pb2.Money(minor_units=minor, currency_code="EUR")


def snapshot(person_id: UUID, **fields: Any) -> bookings_pb2.BookingSnapshot:
    """Return a paid booking of two adults and a child for 1,752.30 euros."""
    return bookings_pb2.BookingSnapshot(
        **{
            "booking_id": str(uuid7()),
            "reference": "K7QX4MPR",
            "traveller_id": str(person_id),
            "departure_id": str(uuid7()),
            "state": bookings_pb2.BOOKING_STATE_CONFIRMED,
            "reason": "PAID",
            "title": common_pb2.LocalizedText(en="Lisbon by tram and tile", fr="Lisbonne, trams et azulejos"),
            "starts_at": ts(STARTS_AT),
            "ends_at": ts(STARTS_AT + timedelta(days=4)),
            "time_zone": "Europe/Lisbon",
            "seats": 3,
            "lines": [_price_line("Adult", "Adulte", 2, 64900, 11800), _price_line("Child", "Enfant", 1, 45430, 4130)],
            "total": eur(175230),
            "paid": eur(175230),
            "refunded": eur(0),
            "sequence": 3,
            **fields,
        }
    )


def confirmed(person_id: UUID, **fields: Any) -> bookings_pb2.BookingConfirmed:
    """Return the event of a booking's confirmation."""
    return bookings_pb2.BookingConfirmed(booking=snapshot(person_id, **fields))


def renamed(person_id: UUID, **fields: Any) -> bookings_pb2.BookingPassengerRenamed:
    """Return the event that a passenger's name was corrected. Its mail has no document."""
    return bookings_pb2.BookingPassengerRenamed(booking=snapshot(person_id, **fields))


def envelope(message: Message, *, key: str, sequence: int = 1, **fields: Any) -> Envelope:
    """Return `message` as the relay of its service sends it."""
    kind = event_type(message)
    return Envelope(
        **{
            "id": str(uuid7()),
            "type": kind.type,
            "source": kind.source,
            "key": key,
            "sequence": sequence,
            "occurred_at": datetime.now(UTC),
            "value": to_json(message).encode(),
            **fields,
        }
    )


def handle(message: Message, *, at: datetime | None = None) -> list[Notification]:
    """Call this service's handler with `message`, and return the notifications that it made."""
    received = Received(
        at=at or datetime.now(UTC) - timedelta(seconds=1),
        event_id=str(uuid7()),
        type=event_type(message).type,
        key="",
        sequence=1,
        request_id="test",
    )
    registered[type(message)](message, received=received)
    return list(Notification.objects.filter(event_id=received.event_id).order_by("channel"))


def _price_line(en: str, fr: str, quantity: int, unit: int, tax: int) -> bookings_pb2.BookingLine:
    return bookings_pb2.BookingLine(
        label=common_pb2.LocalizedText(en=en, fr=fr),
        quantity=quantity,
        unit_price=eur(unit),
        total=eur(unit * quantity),
        tax=eur(tax),
    )


__all__ = [
    "confirmed",
    "consumers",
    "envelope",
    "eur",
    "handle",
    "renamed",
    "snapshot",
]  # importing consumers registers the handlers
