"""Read entries of waiting lists, with their position."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from bookings_service.bookings.contracts import WaitlistView
from bookings_service.bookings.models import WaitlistEntry
from shared.statement import Statement


def waitlist_of(*, traveller_ids: Collection[UUID]) -> dict[UUID, list[WaitlistView]]:
    """Return each traveller's entries, newest first."""
    entries: dict[UUID, list[WaitlistView]] = {traveller_id: [] for traveller_id in traveller_ids}
    for view in _ENTRIES_OF_TRAVELLERS.all(traveller_ids=list(entries)):
        entries[view.traveller_id].append(view)
    return entries


def waitlist_entries(*, ids: Collection[UUID], traveller_id: UUID) -> list[WaitlistView]:
    """Return the entries that are the traveller's."""
    return _ENTRIES_BY_ID.all(ids=list(ids), traveller_id=traveller_id)


def waitlist_view(row: WaitlistEntry) -> WaitlistView:
    """Return the view of an entry as the current transaction sees it."""
    return waitlist_entries(ids=[row.id], traveller_id=row.traveller_id)[0]


_SELECT: Final = """
SELECT id, traveller_id, departure_id, seats, status,
    CASE WHEN status = 'WAITING' THEN (
        SELECT count(*) FROM bookings_waitlistentry ahead
        WHERE ahead.departure_id = entry.departure_id AND ahead.status = 'WAITING'
            AND (ahead.joined_at, ahead.id) <= (entry.joined_at, entry.id)
    ) END,
    offered_until, created_at
FROM bookings_waitlistentry entry"""

_ENTRIES_OF_TRAVELLERS: Final = Statement(
    WaitlistView, f"{_SELECT} WHERE traveller_id = ANY(%(traveller_ids)s) ORDER BY created_at DESC"
)
_ENTRIES_BY_ID: Final = Statement(
    WaitlistView, f"{_SELECT} WHERE id = ANY(%(ids)s) AND traveller_id = %(traveller_id)s ORDER BY joined_at, id"
)
