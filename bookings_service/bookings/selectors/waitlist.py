"""Read entries of waiting lists, with their position."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from bookings_service.bookings.contracts import WaitlistView
from bookings_service.bookings.domain.waitlist import WaitlistStatus
from bookings_service.bookings.models import WaitlistEntry


def waitlist_of(*, traveller_ids: Collection[UUID]) -> dict[UUID, list[WaitlistView]]:
    """Return each traveller's entries, newest first."""
    entries: dict[UUID, list[WaitlistView]] = {traveller_id: [] for traveller_id in traveller_ids}
    for view in _waitlist_views(WaitlistEntry.objects.filter(traveller_id__in=traveller_ids).order_by("-created_at")):
        entries[view.traveller_id].append(view)
    return entries


def waitlist_entries(*, ids: Collection[UUID], traveller_id: UUID) -> list[WaitlistView]:
    """Return the entries that are the traveller's."""
    return _waitlist_views(WaitlistEntry.objects.filter(id__in=ids, traveller_id=traveller_id))


def waitlist_view(row: WaitlistEntry) -> WaitlistView:
    """Return the view of an entry as the current transaction sees it."""
    return _waitlist_views(WaitlistEntry.objects.filter(id=row.id))[0]


def _waitlist_views(rows: QuerySet[WaitlistEntry]) -> list[WaitlistView]:
    ahead = (
        WaitlistEntry.objects.filter(
            Q(joined_at__lt=OuterRef("joined_at")) | Q(joined_at=OuterRef("joined_at"), id__lte=OuterRef("id")),
            departure_id=OuterRef("departure_id"), status=WaitlistStatus.WAITING,
        ).order_by().values("departure_id").annotate(count=Count("id")).values("count")
    )  # fmt: skip
    return [
        WaitlistView(
            id=row.id,
            traveller_id=row.traveller_id,
            departure_id=row.departure_id,
            seats=row.seats,
            status=row.status,
            position=row.position if row.status == WaitlistStatus.WAITING else None,
            offered_until=row.offered_until,
            created_at=row.created_at,
        )
        for row in rows.annotate(position=Subquery(ahead))
    ]
