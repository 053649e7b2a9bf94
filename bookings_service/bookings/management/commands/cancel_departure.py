"""`manage bookings cancel_departure ID`: a departure that will not leave; everybody is refunded and told."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from bookings_service.bookings import selectors, services
from shared.commands import FOUND, OperatorCommand, add_apply, applies, count, identifier

BATCH = 50


class Command(OperatorCommand):
    """Show what it would mean, and do it where asked to. Killed half way, it simply goes on."""

    help = "Cancel every booking of a departure that will not leave, in batches: all that is left of each payment goes back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("departure", type=identifier, help="The departure's id.")
        parser.add_argument("--batch", type=count, default=BATCH, help="Bookings between two lines of progress.")
        add_apply(parser, "Cancel and refund")

    def work(self, **options: Any) -> bool:
        """Return whether no booking of the departure is left."""
        apply, departure_id = applies(options), options["departure"]
        affected = selectors.bookings_of_departure(departure_id=departure_id)
        columns = ("status", "bookings", "seats", "goes back")
        self.table(f"Bookings of {departure_id}", columns, ((a.status, a.bookings, a.seats, a.left) for a in affected))
        todo = sum(one.bookings for one in affected)
        if not apply:
            self.stdout.write(
                f"{todo:,} bookings would be cancelled and refunded. Nothing was changed: --apply does it."
            )
            return True
        services.close_departure(departure_id=departure_id)
        done = 0
        with self.progress("Cancelling", todo) as step:
            while found := services.cancel_bookings_of_cancelled(limit=options["batch"], departure_id=departure_id):
                done += found
                step(found)
        left = sum(one.bookings for one in selectors.bookings_of_departure(departure_id=departure_id))
        if left:
            raise CommandError(
                f"{done:,} cancelled, {left:,} are locked by somebody else: run it again.", returncode=FOUND
            )
        self.stdout.write(
            f"{done:,} bookings cancelled; their refunds are on the way. Cancel the departure in the catalogue too."
        )
        return True
