"""Follow a booking, a traveller's bookings or a departure's free seats.

A subscriber gets the history entries of each booking in order, without a gap, and each entry once.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.travel.bookings.v1 import bookings_pb2
from gateway_service.gateway.live.changes import Change, Kind, Subject
from gateway_service.gateway.live.feed import feed
from gateway_service.gateway.operation.context import Operation
from gateway_service.gateway.operation.requests import page_request
from gateway_service.gateway.operation.shared_calls import shared_calls
from gateway_service.gateway.upstream import stubs
from shared.errors import DeadlineExceeded, Unavailable

RETRY_SECONDS: Final = 2.0  # after bookings_service did not answer
_PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class Update:
    """A history entry of a booking, and the booking as it was when the entry was read."""

    booking: bookings_pb2.Booking
    event: bookings_pb2.BookingEvent  # the history entry, named as in the contract

    @property
    def identity(self) -> Hashable:
        """What tells this update from others. Subscribers with one token get the same update."""
        return self.booking.id, self.event.sequence


async def follow_booking(operation: Operation, *, reference: str, after: int | None) -> AsyncIterator[Update]:
    """Yield the booking's history entries after the sequence `after`, then each new entry.

    If `after` is None, only new entries are yielded. The feed only says that the booking changed. The entries are read
    from bookings_service, beginning after the last sequence that was sent. So no entry is missed, repeated or out of
    order.

    Raises NotFound for a booking that is not the traveller's. Raises Unavailable or DeadlineExceeded if
    bookings_service does not answer at the start.
    """
    booking, _ = await _booking_and_history(operation, reference, after or 0)
    sent = after if after is not None else booking.sequence
    async with feed().watching(Subject(Kind.BOOKING, booking.id)) as signals:
        booking, entries = await _booking_and_history(operation, reference, sent)  # entries since the first read
        while True:
            for entry in entries:
                if entry.sequence > sent:
                    yield Update(booking, entry)
                    sent = entry.sequence
            await signals.wait_beyond({booking.id: sent})
            operation.renew()
            try:
                booking, entries = await _booking_and_history(operation, reference, sent)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(RETRY_SECONDS)
                entries = ()
                signals.note_missed()


async def follow_bookings(operation: Operation, *, known: Mapping[str, int] | None) -> AsyncIterator[Update]:
    """Yield the history entries of all bookings of the signed-in traveller.

    The entries of each booking come in order, and each entry once.

    `known` maps a booking's reference to the last sequence that the subscriber has. First come the entries after these
    sequences, and every entry of a booking that `known` does not name. Then each new entry follows. If `known` is None,
    only new entries are yielded. A reference of another traveller has no effect.

    Raises Unauthenticated if nobody is signed in. Raises Unavailable or DeadlineExceeded if bookings_service does not
    answer at the start.
    """
    traveller_id = str(operation.signed_in_traveller().id)
    sent: dict[str, int] = {}
    async with feed().watching(Subject(Kind.TRAVELLER, traveller_id)) as signals:
        bookings = await _all_bookings(operation, traveller_id)
        for booking in bookings:
            last = booking.sequence
            sent[booking.id] = last if known is None else min(known.get(booking.reference, 0), last)
        while True:
            try:
                for booking in bookings:
                    async for update in _unsent_updates(operation, booking, sent):
                        yield update
                changes = await signals.wait_beyond(sent)
                operation.renew()
                bookings = await _bookings_to_read(operation, traveller_id, changes)
            except (Unavailable, DeadlineExceeded):
                await asyncio.sleep(RETRY_SECONDS)
                bookings = []
                signals.note_missed()


async def follow_seats(operation: Operation, *, departure_id: str) -> AsyncIterator[int | None]:
    """Yield the departure's free seats now, then each new number.

    The first value is None if bookings_service does not answer. If it does not answer later, nothing is yielded.
    """
    async with feed().watching(Subject(Kind.DEPARTURE, departure_id)) as signals:
        seats = await _seats(operation, departure_id)
        yield seats
        sequence = 0
        while True:
            changes = await signals.wait_beyond({departure_id: sequence})
            operation.renew()
            if changes is None:
                latest = await _seats(operation, departure_id)
            else:
                sequence, latest = changes[0].sequence, changes[0].seats_available
            if latest is not None and latest != seats:
                seats = latest
                yield seats


async def _seats(operation: Operation, departure_id: str) -> int | None:
    """Return the departure's free seats, or None if bookings_service does not answer."""
    try:
        return await shared_calls.share(
            ("seats", departure_id, operation.token), lambda: operation.loaders.free_seats.load(departure_id)
        )
    except (Unavailable, DeadlineExceeded):
        return None


async def _unsent_updates(
    operation: Operation, booking: bookings_pb2.Booking, sent: dict[str, int]
) -> AsyncIterator[Update]:
    if booking.sequence <= sent.get(booking.id, 0):
        return
    operation.renew()
    latest, entries = await _booking_and_history(operation, booking.reference, sent.get(booking.id, 0))
    for entry in entries:
        if entry.sequence > sent.get(booking.id, 0):
            yield Update(latest, entry)
            sent[booking.id] = entry.sequence


async def _bookings_to_read(
    operation: Operation, traveller_id: str, changes: list[Change] | None
) -> list[bookings_pb2.Booking]:
    if changes is None or len(changes) > _PAGE_SIZE:
        return await _all_bookings(operation, traveller_id)
    ids = [change.subject.id for change in changes]
    request = bookings_pb2.BatchGetBookingsRequest(ids=ids)
    answer = await shared_calls.share(
        ("bookings", *ids, operation.token), lambda: operation.call(stubs.bookings.BatchGetBookings, request)
    )
    return list(answer.bookings)


async def _all_bookings(operation: Operation, traveller_id: str) -> list[bookings_pb2.Booking]:
    """Return all bookings of the traveller, the oldest first."""
    return await shared_calls.share(
        ("all bookings", operation.token), lambda: _all_pages_of_bookings(operation, traveller_id)
    )


async def _all_pages_of_bookings(operation: Operation, traveller_id: str) -> list[bookings_pb2.Booking]:
    bookings: list[bookings_pb2.Booking] = []
    after = ""
    while True:
        request = bookings_pb2.BatchListBookingsRequest(
            traveller_ids=[traveller_id], page=page_request(_PAGE_SIZE, after)
        )
        (answer,) = (await operation.call(stubs.bookings.BatchListBookings, request)).pages
        bookings += [edge.node for edge in answer.edges]
        if not answer.page_info.has_next_page:
            return bookings[::-1]
        after = answer.page_info.end_cursor
        operation.renew()


async def _booking_and_history(
    operation: Operation, reference: str, after: int
) -> tuple[bookings_pb2.Booking, tuple[bookings_pb2.BookingEvent, ...]]:
    request = bookings_pb2.ListBookingEventsRequest(reference=reference, after_sequence=after)
    answer = await shared_calls.share(
        ("history", reference, after, operation.token),
        lambda: operation.call(stubs.bookings.ListBookingEvents, request),
    )
    return answer.booking, tuple(answer.events)
