"""Events as the records that a consumer's effects get, without Kafka."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed, PaymentFailed
from notifications_service.tests.factories import confirmed, envelope
from shared.cloudevents import Envelope
from shared.errors import Conflict
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox.brake import BrakeLimits
from shared.inbox.effects import MAX_ATTEMPTS, Effects, cause_of
from shared.inbox.models import DeadLetter
from shared.kafka.records import Record

BOOKING = "travel.bookings.booking"
CONFIRMED = "travel.bookings.booking.confirmed.v1"
SOON = BrakeLimits(keys=5, share=0.5, pauses=(0.0,))
_offsets: Iterator[int] = count()


class Refuses(Conflict):
    """The handler refuses the event."""

    code = "TEST_REFUSES"


class Handler:
    """Handles confirmations and failed payments. It notes the sequence of each, and refuses the keys in `refused`."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.broken = False
        self.done: dict[str, list[int]] = {}
        self.payments = 0

    @property
    def handlers(self) -> dict[Any, Callable[..., None]]:
        """The handlers for Effects."""
        return {BookingConfirmed: self._confirmed, PaymentFailed: self._payment}

    def effects(self, limits: BrakeLimits = SOON) -> Effects:
        """Return new effects, as after a start of the consumer."""
        return Effects(name="notifications", handlers=self.handlers, brake=limits)

    def _confirmed(self, event: BookingConfirmed, *, received: Any) -> None:
        if self.broken or received.key in self.refused:
            raise Refuses
        self.done.setdefault(received.key, []).append(received.sequence)

    def _payment(self, event: PaymentFailed, *, received: Any) -> None:
        self.payments += 1


def record(event: Envelope, *, topic: str = BOOKING) -> Record:
    """Return `event` as a record with the next offset."""
    return Record(
        topic=topic_name(topic),
        partition=0,
        offset=next(_offsets),
        key=event.key,
        headers=event.headers(),
        value=event.value,
    )


def confirmation(key: str, *, sequence: int = 1, **fields: Any) -> Record:
    """Return a confirmation of the booking `key`."""
    return record(replace(envelope(confirmed(uuid7()), key=key, sequence=sequence), **fields))


def work(effects: Effects, *records: Record) -> None:
    """Handle the records as the consumer's loop does, without its pauses."""
    for one in records:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                effects.apply(one)
                break
            except Refuses as error:
                if attempt == MAX_ATTEMPTS:
                    effects.give_up(one, fault=DeadLetter.Fault.HANDLER, cause=cause_of(error), attempts=attempt)


def retry_all(effects: Effects) -> None:
    """Retry what is due, as the consumer's housekeeping does."""
    for topic, key in effects.keys_to_retry():
        while effects.retry_oldest(topic, key):
            pass


def statuses(key: str) -> list[str]:
    """Return the statuses of the key's letters, the oldest first."""
    return list(DeadLetter.objects.filter(key=key).order_by("id").values_list("status", flat=True))
