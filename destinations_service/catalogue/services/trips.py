"""Trips. Each change takes the next version and is published."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import ProtectedError

from destinations_service.catalogue import events
from destinations_service.catalogue.domain import InUse
from destinations_service.catalogue.models import Trip
from destinations_service.catalogue.services.search_index import refresh_search_of_trips, remove_from_search
from destinations_service.catalogue.services.versions import check_version
from shared.errors import NotFound


def record_trip_change(row: Trip) -> None:
    """Give a trip that was just written its next version, rewrite its search entry, and publish the change.

    Call it in the transaction of the write.
    """
    row.version += 1
    Trip.objects.filter(id=row.id).update(version=row.version)
    refresh_search_of_trips(ids=[row.id])
    events.publish_trip(row)


def delete_trip(*, trip_id: UUID, seen: Collection[int] | None = None) -> None:
    """Delete a trip and publish the change. `seen` are the versions that the caller may have read; None allows any.

    Raises NotFound, StaleVersion, InUse if it has departures.
    """
    with transaction.atomic():
        row = Trip.objects.select_for_update().filter(id=trip_id).first()
        if row is None:
            raise NotFound
        check_version(row, seen)
        try:
            row.delete()
        except ProtectedError:
            raise InUse from None
        remove_from_search(ids=[trip_id])
        row.id, row.version = trip_id, row.version + 1
        events.publish_trip(row)
