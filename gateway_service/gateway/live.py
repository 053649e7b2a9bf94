"""What a subscriber is sent: everything after a sequence, in order, once, whether the feed is up or down."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from gateway_service.gateway.context import Operation
from gateway_service.gateway.feed import feed
from shared.errors import DeadlineExceeded, Unavailable
from shared.pb.travel.bookings.v1 import bookings_pb2

POLL_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Update:
    """One event of a booking, and the booking as it is."""

    booking: bookings_pb2.Booking
    event: bookings_pb2.BookingEvent


async def follow_booking(operation: Operation, *, reference: str, after: int | None) -> AsyncIterator[Update]:
    """Yield what happened to the booking after `after` (None: from now on), then every event as it happens.

    The feed only says that a booking moved; what is sent is always what bookings_service lists after the last sequence sent,
    so that nothing is missed, repeated or out of order. While the feed is down the list is asked for every two seconds.

    Raises NotFound for a booking that is not the traveller's, Unavailable when it cannot be asked at the start.
    """
    booking, _ = await _list(operation, reference, after or 0)
    sent = after if after is not None else booking.sequence
    async with feed().watching(booking.id) as signals:
        booking, events = await _list(operation, reference, sent)  # what came between the first look and the watching
        while True:
            for event in events:
                if event.sequence > sent:
                    yield Update(booking, event)
                    sent = event.sequence
            await signals.wait_beyond(sent, timeout=POLL_SECONDS)
            operation.renew()
            try:
                booking, events = await _list(operation, reference, sent)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(POLL_SECONDS)
                events = ()
                signals.missed()


async def _list(
    operation: Operation, reference: str, after: int
) -> tuple[bookings_pb2.Booking, tuple[bookings_pb2.BookingEvent, ...]]:
    request = bookings_pb2.ListBookingEventsRequest(reference=reference, after_sequence=after)
    answer = await operation.call("bookings", "ListBookingEvents", request)
    return answer.booking, tuple(answer.events)
