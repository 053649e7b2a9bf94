"""The base of `manage.py run_consumer`."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import autodiscover_modules

from shared.kafka.consumer import EventConsumer, TooManyDeadLetters
from shared.kafka.handlers import registered


class RunConsumer(BaseCommand):
    """Consume the events that this service handles until SIGTERM, finishing the one in hand."""

    requires_system_checks = ()  # they would load every view and admin page; `migrate` and `check` run them
    help = "Consume the events that this service handles, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the loop. Exits with an error, for its supervisor to restart it with back-off, when a deploy is bad."""
        autodiscover_modules("consumers")
        if not registered:
            raise CommandError(f"{settings.SERVICE_NAME}: no handler in any app's consumers module")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            EventConsumer(name=settings.SERVICE_NAME, handlers=registered, stop=stop).run()
        except TooManyDeadLetters as error:
            raise CommandError(str(error)) from error
