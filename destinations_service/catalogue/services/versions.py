"""Versions of places and trips, which order their events."""

from destinations_service.catalogue.models import Destination, Trip


def lock_version(row: Destination | Trip) -> None:
    """Lock `row` and take over its version: another change may have committed since `row` was read."""
    row.version = type(row)._default_manager.select_for_update().values_list("version", flat=True).get(pk=row.pk)
