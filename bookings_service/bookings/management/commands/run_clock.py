"""manage.py run_clock: holds end, refunds go out, payments are asked after, seats are told of."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from bookings_service.bookings import clock


class Command(BaseCommand):
    """Run the clock until SIGTERM, finishing the job in hand."""

    help = "End holds, pay refunds out, ask after payments and tell of seats, until SIGTERM. Several may run."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("the clock of bookings runs")
        clock.run(stop)
