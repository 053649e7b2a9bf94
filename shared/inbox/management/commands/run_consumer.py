"""`manage.py run_consumer`: the service's event consumer, with the handlers of every app's `consumers` module."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import autodiscover_modules

from shared.inbox.consumer import EventConsumer
from shared.kafka import topics
from shared.kafka.handlers import registered


class Command(BaseCommand):
    """Consume the events that this service handles until SIGTERM. The current event is finished first."""

    requires_system_checks = ()  # they would load every view and admin page; `migrate` and `check` run them
    help = "Consume the events that this service handles, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the loop. Raises CommandError if the service has no handler."""
        autodiscover_modules("consumers")
        if not registered:
            raise CommandError(f"{settings.SERVICE_NAME}: no app has a handler in its consumers module")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        needed = topics.of_consumer(settings.SERVICE_NAME)
        # In a thread: a broker that is away must not delay the consumer's heartbeat.
        threading.Thread(target=topics.warn_of_drift, args=(needed,), daemon=True).start()
        EventConsumer(name=settings.SERVICE_NAME, handlers=registered, stop=stop).run()
