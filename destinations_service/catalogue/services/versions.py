"""Versions of places, trips and departures: they order events, and show that somebody else was faster."""

from collections.abc import Collection

from destinations_service.catalogue.models import Departure, Destination, Trip
from shared.errors import StaleVersion


def lock_version(row: Destination | Trip | Departure) -> None:
    """Lock `row` and take over its version: another change may have committed since `row` was read."""
    row.version = type(row)._default_manager.select_for_update().values_list("version", flat=True).get(pk=row.pk)


def check_version(row: Destination | Trip | Departure, seen: Collection[int] | None) -> None:
    """Raise StaleVersion unless the row has one of the versions that the caller has seen. None allows any.

    Call it while the row is locked.
    """
    if seen is not None and row.version not in seen:
        raise StaleVersion(version=row.version)
