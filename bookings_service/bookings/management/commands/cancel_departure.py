"""`manage bookings cancel_departure ID`: cancel and refund every booking of a departure that will not leave.

The departure itself is cancelled only in bookings_service, so that nobody books it. Staff cancel it in the catalogue.
"""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from bookings_service.bookings import selectors, services
from shared.commands import FOUND, OperatorCommand, add_apply, applies, count, identifier

BATCH = 50


class Command(OperatorCommand):
    """Show the bookings, and cancel them with --apply. After an interruption, run it again."""

    help = "Cancel every booking of a departure that will not leave, in batches, and refund all that is refundable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("departure", type=identifier, help="The departure's id.")
        parser.add_argument("--batch", type=count, default=BATCH, help="Bookings per batch.")
        add_apply(parser, "Cancel and refund")

    def work(self, **options: Any) -> bool:
        """Return True if every booking is cancelled. Without --apply, always return True.

        Raises CommandError if some bookings are locked.
        """
        apply, departure_id = applies(options), options["departure"]
        live = selectors.count_live_bookings(departure_id=departure_id)
        columns = ("status", "bookings", "seats", "to refund")
        self.table(
            f"Bookings of {departure_id}", columns, ((a.status, a.bookings, a.seats, a.refundable) for a in live)
        )
        total = sum(row.bookings for row in live)
        if not apply:
            self.stdout.write(
                f"{total:,} bookings would be cancelled and refunded. Nothing was changed. Add --apply to cancel them."
            )
            return True
        services.mark_cancelled(departure_id=departure_id)
        done = 0
        with self.progress("Cancelling", total) as step:
            while count := services.cancel_bookings_of_cancelled_departures(
                limit=options["batch"], departure_id=departure_id
            ):
                done += count
                step(count)
        remaining = sum(row.bookings for row in selectors.count_live_bookings(departure_id=departure_id))
        if remaining:
            raise CommandError(
                f"{done:,} cancelled, {remaining:,} are locked by another transaction: run it again.", returncode=FOUND
            )
        self.stdout.write(
            f"{done:,} bookings cancelled; their refunds will be paid out. Cancel the departure in the catalogue too."
        )
        return True
