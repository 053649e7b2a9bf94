"""`manage.py seed`: fill the catalogue."""

from typing import Any

from django.core.management.base import BaseCommand

from destinations_service.catalogue.seeding import seed


class Command(BaseCommand):
    """Fill the catalogue with the committed data; repeatable."""

    help = "Fill the catalogue with countries, cities, points of interest, trips and departures. Repeatable; adds what is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed and say how much was new."""
        new = seed(say=self.stdout.write)
        counts = f"{new.places} places, {new.trips} trips, {new.departures} departures, {new.photos} photos"
        self.stdout.write(f"seeded {counts}; the rest was there")
