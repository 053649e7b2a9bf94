"""`manage.py seed`: fill the catalogue."""

from typing import Any

from django.core.management.base import CommandParser

from destinations_service.catalogue.importing import Options, import_places
from destinations_service.catalogue.management.import_summary import show
from destinations_service.catalogue.seed_data import WORLD
from destinations_service.catalogue.seeding import seed
from shared.commands import OperatorCommand


class Command(OperatorCommand):
    """Fill the catalogue with the committed data."""

    help = (
        "Fill the catalogue with countries, cities, points of interest, trips and departures."
        " It adds only what is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option for the places of the world."""
        parser.add_argument(
            "--world", action="store_true", help="Also import the places of the world with 1,000 inhabitants and more."
        )

    def work(self, **options: Any) -> bool:
        """Seed, and print how many rows were added."""
        new = seed(say=self.stdout.write)
        counts = f"{new.places} places, {new.trips} trips, {new.departures} departures, {new.photos} photos"
        self.stdout.write(f"seeded {counts}; everything else was already there")
        if options["world"]:
            world = Options(file=WORLD)
            show(self, world, import_places(world, watcher=self))
        return True
