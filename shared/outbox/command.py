"""The `run_outbox_relay` command of every service."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from psycopg.conninfo import make_conninfo

from shared.outbox.relay import Relay


def own_database() -> str:
    """Return the connection string of the service's database, without the pool and its time limits."""
    held = settings.DATABASES["default"]
    return make_conninfo(
        "",
        host=held["HOST"],
        port=held["PORT"],
        user=held["USER"],
        password=held["PASSWORD"],
        dbname=held["NAME"],
        connect_timeout=3,
        application_name=f"travel-{settings.SERVICE_NAME}-relay",
    )


class RunRelay(BaseCommand):
    """Bring the service's events to Kafka until SIGTERM, finishing the batch in hand."""

    help = "Bring this service's committed events to Kafka until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Relay until stopped."""
        relay = Relay(database=own_database(), name=f"{settings.SERVICE_NAME}.relay")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        self.stdout.write(f"relaying events of {settings.SERVICE_NAME}")
        relay.run()
