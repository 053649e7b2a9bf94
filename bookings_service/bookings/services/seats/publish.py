"""Telling how many seats are left: at most once a second per departure, however many were taken."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from bookings_service.bookings import events
from bookings_service.bookings.models import SeatInventory
from shared.db import database_now
from shared.outbox import publish_many

COALESCED = timedelta(seconds=1)


def publish_inventory(*, limit: int = 500) -> int:
    """Publish inventory.changed of up to `limit` departures that changed and were not told of for a second; return how many."""
    with transaction.atomic():
        now = database_now()
        rows = list(
            SeatInventory.objects.select_for_update(skip_locked=True)
            .filter(Q(published_at__isnull=True) | Q(published_at__lte=now - COALESCED), dirty=True)
            .order_by("published_at")[:limit]
        )
        if rows:
            SeatInventory.objects.filter(departure_id__in=[row.departure_id for row in rows]).update(
                dirty=False, published_at=now
            )
            publish_many(
                ((events.inventory_changed(row), row.departure_id, row.sequence) for row in rows), occurred_at=now
            )
        return len(rows)
