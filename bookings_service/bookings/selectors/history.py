"""Read the history of bookings."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from bookings_service.bookings.contracts import BookingView, HistoryEntryView
from bookings_service.bookings.selectors.booking import booking_by_reference
from shared.statement import Statement
from shared.text import Text


def history(*, booking_ids: Collection[UUID], traveller_id: UUID, after: int = 0) -> dict[UUID, list[HistoryEntryView]]:
    """Return the history entries of the traveller's bookings after a sequence, oldest first."""
    entries: dict[UUID, list[HistoryEntryView]] = {booking_id: [] for booking_id in booking_ids}
    for booking_id, entry in _HISTORY.all(booking_ids=list(entries), traveller_id=traveller_id, after=after):
        entries[booking_id].append(entry)
    return entries


def booking_with_history(
    *, reference: str, traveller_id: UUID, after: int
) -> tuple[BookingView, list[HistoryEntryView]]:
    """Return a traveller's booking, and its history entries after a sequence, up to the booking's `sequence`.

    Raises NotFound, and RateLimited after too many wrong references.
    """
    booking = booking_by_reference(reference=reference, traveller_id=traveller_id)
    events = history(booking_ids=[booking.id], traveller_id=traveller_id, after=after)[booking.id]
    return booking, [event for event in events if event.sequence <= booking.sequence]


def _entry(
    booking_id: UUID, sequence: int, type: str, status: str, reason: str, at: datetime, actor: str, message_en: str,
    message_fr: str,
) -> tuple[UUID, HistoryEntryView]:  # fmt: skip
    return booking_id, HistoryEntryView(sequence, type, status, reason, at, actor, Text(message_en, message_fr))


_HISTORY: Final = Statement(
    _entry,
    """
    SELECT booking_id, sequence, type, status, reason, at, actor, message_en, message_fr
    FROM bookings_bookingevent event
    WHERE booking_id = ANY(%(booking_ids)s) AND sequence > %(after)s AND EXISTS (
        SELECT FROM bookings_booking booking
        WHERE booking.id = event.booking_id AND booking.traveller_id = %(traveller_id)s
    )
    ORDER BY booking_id, sequence""",
)
