"""Dead letters and parked events on the booking topic, as the consumer keeps them."""

from typing import Any

from django.db import transaction

from notifications_service.tests.factories import confirmed, envelope
from shared.cloudevents import Envelope
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox import letters
from shared.inbox.models import DeadLetter
from shared.kafka.records import Record

BOOKING = "travel.bookings.booking"


def confirmation(*, key: str | None = None, **fields: Any) -> Envelope:
    """Return the confirmation of a booking of its own, with the key of another booking if one is given."""
    booking_id = str(uuid7())
    return envelope(confirmed(uuid7(), booking_id=booking_id), key=booking_id if key is None else key, **fields)


def record(event: Envelope, *, offset: int = 0, **fields: Any) -> Record:
    """Return `event` as the consumer reads it from the booking topic."""
    values = {"headers": event.headers(), "value": event.value, **fields}
    return Record(topic=topic_name(BOOKING), partition=0, offset=offset, key=event.key, **values)


@transaction.atomic
def dead(event: Envelope, *, offset: int = 0, **fields: Any) -> DeadLetter:
    """Keep `event` as a dead letter whose handler failed five times."""
    letters.keep_dead_letter(
        consumer="notifications",
        record=record(event, offset=offset, **fields),
        fault=DeadLetter.Fault.HANDLER,
        cause="Refuses: the invoice is refused",
        attempts=5,
    )
    return DeadLetter.objects.latest("id")


@transaction.atomic
def parked(event: Envelope, *, offset: int = 1) -> DeadLetter:
    """Park `event` behind the open dead letters of its key."""
    assert letters.park_behind(consumer="notifications", record=record(event, offset=offset))
    return DeadLetter.objects.latest("id")
