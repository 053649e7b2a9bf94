"""`manage.py check_catalogue`: list what staff should look at."""

import json
from typing import Any

from django.core.management.base import CommandParser

from destinations_service.catalogue.models.places import languages
from destinations_service.catalogue.selectors.shortcomings import shortcomings
from shared.commands import OperatorCommand


class Command(OperatorCommand):
    """Check the catalogue. It changes nothing."""

    help = "List missing texts, lost photos, old open departures, currencies without a rate. Exit code 1 if any."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option for programs."""
        parser.add_argument("--json", action="store_true", help="Print JSON alone on stdout.")

    def work(self, **options: Any) -> bool:
        """Print each kind of mistake that there is. Return whether there is none."""
        found = [each for each in shortcomings(languages=[code for code, _ in languages()]) if each.rows]
        if options["json"]:
            self.stdout.write(json.dumps([each._asdict() for each in found], indent=2))
        elif found:
            rows = [[each.rows, each.what, ", ".join(each.examples)] for each in found]
            self.table("To look at", ["rows", "what", "the first of them"], rows)
        else:
            self.stdout.write("Nothing to look at.")
        return not found
