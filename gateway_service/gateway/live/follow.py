"""What a subscriber is sent: everything after a sequence, in order, once, whether the feed is up or down."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.travel.bookings.v1 import bookings_pb2
from gateway_service.gateway.live.feed import Moved, feed, traveller
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.operation.loaders import page
from shared.errors import DeadlineExceeded, Unavailable

POLL_SECONDS: Final = 2.0
_PAGE: Final = 100


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
            await signals.wait_beyond({booking.id: sent}, timeout=POLL_SECONDS)
            operation.renew()
            try:
                booking, events = await _list(operation, reference, sent)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(POLL_SECONDS)
                events = ()
                signals.missed()


async def follow_bookings(operation: Operation, *, known: Mapping[str, int] | None) -> AsyncIterator[Update]:
    """Yield every event of every booking of the signed-in traveller, of each booking in order and once.

    `known` is the sequence up to which a reference is known already: what came after it, and every booking not among them, come first.
    None is from now on. A reference that is not the traveller's is as one that does not exist.

    Raises Unauthenticated where nobody is signed in, Unavailable when bookings_service cannot be asked at the start.
    """
    person_id = str(operation.owner().id)
    sent: dict[str, int] = {}
    async with feed().watching(traveller(person_id)) as signals:
        rows = await _all_bookings(operation, person_id)
        for row in rows:
            sent[row.id] = row.sequence if known is None else min(known.get(row.reference, 0), row.sequence)
        while True:
            try:
                for row in rows:
                    async for update in _missed(operation, row, sent):
                        yield update
                news = await signals.wait_beyond(sent, timeout=POLL_SECONDS)
                operation.renew()
                rows = await _moved(operation, person_id, news)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(POLL_SECONDS)
                rows = []
                signals.missed()


async def follow_seats(operation: Operation, *, departure_id: str) -> AsyncIterator[int | None]:
    """Yield how many seats of the departure can be held now, then each time that it changes; None while nobody knows."""
    async with feed().watching(departure_id) as signals:
        seats = await _seats(operation, departure_id)
        yield seats
        sequence = 0
        while True:
            news = await signals.wait_beyond({departure_id: sequence}, timeout=POLL_SECONDS)
            operation.renew()
            if news is None:
                latest = await _seats(operation, departure_id)
            else:
                sequence, latest = news[0].sequence, news[0].seats_available
            if latest is not None and latest != seats:
                seats = latest
                yield seats


async def _seats(operation: Operation, departure_id: str) -> int | None:
    """Return the seats that can be held now, None where bookings_service cannot answer."""
    try:
        found: int | None = await operation.loaders.seats_available.load(departure_id)
    except (Unavailable, DeadlineExceeded):
        return None
    return found


async def _missed(
    operation: Operation, row: bookings_pb2.Booking, sent: dict[str, int]
) -> AsyncIterator[Update]:  # fmt: skip
    if row.sequence <= sent.get(row.id, 0):
        return
    operation.renew()
    booking, events = await _list(operation, row.reference, sent.get(row.id, 0))
    for event in events:
        if event.sequence > sent.get(row.id, 0):
            yield Update(booking, event)
            sent[row.id] = event.sequence


async def _moved(operation: Operation, person_id: str, news: list[Moved] | None) -> list[bookings_pb2.Booking]:
    if news is None or len(news) > _PAGE:
        return await _all_bookings(operation, person_id)
    request = bookings_pb2.BatchGetBookingsRequest(ids=[one.subject for one in news])
    return list((await operation.call("bookings", "BatchGetBookings", request)).bookings)


async def _all_bookings(operation: Operation, person_id: str) -> list[bookings_pb2.Booking]:
    """Return the traveller's bookings, oldest first."""
    found: list[bookings_pb2.Booking] = []
    after = ""
    while True:
        request = bookings_pb2.BatchListBookingsRequest(traveller_ids=[person_id], page=page(_PAGE, after))
        (answer,) = (await operation.call("bookings", "BatchListBookings", request)).pages
        found += [edge.node for edge in answer.edges]
        if not answer.page_info.has_next_page:
            return found[::-1]
        after = answer.page_info.end_cursor
        operation.renew()


async def _list(
    operation: Operation, reference: str, after: int
) -> tuple[bookings_pb2.Booking, tuple[bookings_pb2.BookingEvent, ...]]:
    request = bookings_pb2.ListBookingEventsRequest(reference=reference, after_sequence=after)
    answer = await operation.call("bookings", "ListBookingEvents", request)
    return answer.booking, tuple(answer.events)
