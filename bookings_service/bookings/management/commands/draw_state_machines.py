"""`manage bookings draw_state_machines`: draw the diagrams of docs/bookings.md from the transition tables."""

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bookings_service.bookings.management.drawing import redrawn

DOCUMENT: Final = Path(__file__).resolve().parents[4] / "docs" / "bookings.md"


class Command(BaseCommand):
    """Update the document if it differs from the tables. With --check, only report it."""

    help = "Draw the state machines of docs/bookings.md from the transition tables."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing. Exit code 1 if it is out of date.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = DOCUMENT.read_text(encoding="utf-8")
        except OSError:
            raise CommandError(f"{DOCUMENT} cannot be read.") from None
        drawn = redrawn(text)
        if drawn == text:
            self.stdout.write("docs/bookings.md is up to date.")
        elif options["check"]:
            raise CommandError("docs/bookings.md is out of date: run draw_state_machines.")
        else:
            DOCUMENT.write_text(drawn, encoding="utf-8")
            self.stdout.write("docs/bookings.md is updated.")
