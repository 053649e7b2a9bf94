"""Lower the capacity of a departure: bookings_service agrees before it is committed here, and every failure heals.

The order is: note the question (committed), ask, commit the lower capacity as the version that the question named. If
the last step does not happen, bookings_service may have taken seats away that are still declared here. Then a later
version gives them back: at once by the same caller, or by `heal_cuts` if the caller died.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from destinations_service.catalogue import events, upstream
from destinations_service.catalogue.domain import CapacityBelowSold
from destinations_service.catalogue.models import Departure, DepartureStatus

log = structlog.get_logger(__name__)

# Longer than a caller waits for bookings_service and for its own commit.
ABANDONED_AFTER: Final = timedelta(seconds=30)


@contextmanager
def agreed_cut(departure: Departure, *, capacity: int) -> Iterator[None]:
    """Have bookings_service take the seats away, then commit in the body. Give them back if the body fails.

    Raises CapacityBelowSold, Unavailable and what the body raises.
    """
    asked = departure.version + 1
    Departure.objects.filter(id=departure.id).update(cut_asked_at=timezone.now())
    try:
        upstream.set_capacity(departure_id=departure.id, capacity=capacity, version=asked)
        yield
    except CapacityBelowSold:  # bookings_service has changed nothing
        Departure.objects.filter(id=departure.id).update(cut_asked_at=None)
        raise
    except BaseException:
        _give_back(departure.id, asked=asked)
        raise


def heal_cuts() -> int:
    """Give back the seats of cuts whose caller died. Return how many departures were healed."""
    since = timezone.now() - ABANDONED_AFTER
    abandoned = Departure.objects.filter(cut_asked_at__lt=since).values_list("id", flat=True)
    return sum(_give_back(departure_id) for departure_id in list(abandoned[:100]))


def _give_back(departure_id: UUID, *, asked: int = 0) -> bool:
    """Publish the declared capacity as a version after the one that was asked for, so that a late answer loses."""
    with transaction.atomic():
        departure = (
            Departure.objects.select_for_update(of=("self",)).select_related("trip").filter(id=departure_id).first()
        )
        if departure is None or not (asked or departure.cut_asked_at):
            return False
        departure.version = max(departure.version, asked or departure.version + 1) + 1
        departure.cut_asked_at = None
        departure.save(update_fields=["version", "cut_asked_at"])
        is_cancelled = departure.status == DepartureStatus.CANCELLED
        events.publish_departure(departure, (events.cancelled if is_cancelled else events.changed)(departure))
        log.warning("capacity_given_back", departure_id=str(departure_id), version=departure.version)
        return True
