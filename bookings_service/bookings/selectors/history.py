"""Read the history of bookings."""

from collections.abc import Collection
from uuid import UUID

from bookings_service.bookings.contracts import BookingView, HistoryEntryView
from bookings_service.bookings.models import BookingEvent
from bookings_service.bookings.selectors.booking import booking_by_reference
from shared.text import Text


def history(*, booking_ids: Collection[UUID], traveller_id: UUID, after: int = 0) -> dict[UUID, list[HistoryEntryView]]:
    """Return the history entries of the traveller's bookings after a sequence, oldest first."""
    entries: dict[UUID, list[HistoryEntryView]] = {booking_id: [] for booking_id in booking_ids}
    rows = BookingEvent.objects.filter(
        booking_id__in=booking_ids, booking__traveller_id=traveller_id, sequence__gt=after
    ).order_by("booking_id", "sequence")
    for row in rows:
        entries[row.booking_id].append(history_entry_view(row))
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


def history_entry_view(row: BookingEvent) -> HistoryEntryView:
    """Return the view of a history entry."""
    return HistoryEntryView(
        sequence=row.sequence,
        type=row.type,
        status=row.status,
        reason=row.reason,
        at=row.at,
        actor=row.actor,
        message=Text(en=row.message_en, fr=row.message_fr),
    )
