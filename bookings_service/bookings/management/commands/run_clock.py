"""`manage bookings run_clock`: run due jobs, such as ending holds and paying out refunds, until SIGTERM."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from bookings_service.bookings import clock


class Command(BaseCommand):
    """Run the clock until SIGTERM. The running job is finished first."""

    help = "Run due jobs, such as ending holds and paying refunds out, until SIGTERM. Several clocks may run."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("the clock of bookings runs")
        clock.run(stop)
