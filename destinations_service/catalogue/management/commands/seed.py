"""`manage.py seed`: fill the catalogue."""

from typing import Any

from django.core.management.base import BaseCommand

from destinations_service.catalogue.seeding import seed


class Command(BaseCommand):
    """Fill the catalogue with the committed data."""

    help = (
        "Fill the catalogue with countries, cities, points of interest, trips and departures."
        " It adds only what is missing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, and print how many rows were added."""
        new = seed(say=self.stdout.write)
        counts = f"{new.places} places, {new.trips} trips, {new.departures} departures, {new.photos} photos"
        self.stdout.write(f"seeded {counts}; everything else was already there")
