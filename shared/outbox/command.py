"""The `run_outbox_relay` command of every service."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from shared.db import own_database
from shared.garbage import expect_many_objects
from shared.outbox.relay import Relay


class RunRelay(BaseCommand):
    """Send the service's events to Kafka until SIGTERM. It first waits for the reports of what it has sent."""

    help = "Bring this service's committed events to Kafka until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Relay until stopped."""
        relay = Relay(
            database=own_database(), name=f"{settings.SERVICE_NAME}.relay", retention=settings.OUTBOX_RETENTION
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        expect_many_objects()
        self.stdout.write(f"relaying events of {settings.SERVICE_NAME}")
        relay.run()
