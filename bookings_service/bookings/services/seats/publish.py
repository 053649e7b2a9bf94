"""Publish how many seats are free: at most once a second per departure, however many bookings change it."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from bookings_service.bookings import events
from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services.job import Instant, Job, now_if_any
from shared.db import database_now
from shared.outbox import publish_many

PUBLISH_INTERVAL = timedelta(seconds=1)


def publish_inventory(*, limit: int = 500) -> int:
    """Publish inventory.changed for up to `limit` changed departures. Return their number.

    It takes only departures whose last publication is at least PUBLISH_INTERVAL old.
    """
    with transaction.atomic():
        now = database_now()
        rows = list(_unpublished(now).select_for_update(skip_locked=True).order_by("published_at")[:limit])
        if rows:
            SeatInventory.objects.filter(departure_id__in=[row.departure_id for row in rows]).update(
                dirty=False, published_at=now
            )
            publish_many(
                ((events.inventory_changed(row), row.departure_id, row.sequence) for row in rows), occurred_at=now
            )
        return len(rows)


def _unpublished(now: Instant) -> QuerySet[SeatInventory]:
    return SeatInventory.objects.filter(
        Q(published_at__isnull=True) | Q(published_at__lte=now - PUBLISH_INTERVAL), dirty=True
    )


PUBLISH_INVENTORY = Job("publish_inventory", publish_inventory, lambda: now_if_any(_unpublished(Now())))
