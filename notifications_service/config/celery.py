"""The Celery app of the workers and beat: `celery -A notifications_service.config.celery worker --pool threads`.

A worker accepts only JSON, and only from the queues that its command names. A message of any other content type is
rejected unread. A worker's `--hostname NAME@notifications` gives its heartbeat file its name.
"""

import os
from typing import Any

from celery import Celery, bootsteps
from celery.beat import Scheduler
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_service.config.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # they would load every view and admin page

from notifications_service.config import transport
from shared.heartbeat import Heartbeat
from shared.telemetry import celery as telemetry

transport.use()
app = Celery("notifications_service")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["notifications_service.notifications"])
telemetry.connect()


class HeartbeatStep(bootsteps.StartStopStep):
    """Writes the heartbeat while the worker's loop runs. The worker is ready when it consumes its queues."""

    requires = {"celery.worker.components:Timer"}

    def __init__(self, parent: Any, **options: Any) -> None:
        name, _, _ = parent.hostname.partition("@")
        self._heartbeat = Heartbeat(f"notifications.{name}")
        self._timer: Any = None
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        """Start the heartbeat."""
        self._timer = parent.timer.call_repeatedly(1.0, lambda: self._heartbeat.beat(ready=_consumes(parent)))

    def stop(self, parent: Any) -> None:
        """Stop the heartbeat with the worker."""
        if self._timer is not None:
            self._timer.cancel()
        self._heartbeat.remove()


class HeartbeatScheduler(Scheduler):
    """Celery beat's scheduler. It stores nothing, because every entry is periodic and harmless to repeat."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._heartbeat = Heartbeat("notifications.beat")
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Write the heartbeat and send what is due. Return at most five seconds until the next tick."""
        self._heartbeat.beat(ready=True)
        return min(super().tick(*args, **kwargs), 5.0)

    def close(self) -> None:
        """Stop the heartbeat with beat."""
        self._heartbeat.remove()
        super().close()


@worker_init.connect
def _warm_up(**_: Any) -> None:
    from notifications_service.notifications.queues import Queue
    from notifications_service.notifications.warmup import warm_up

    warm_up(with_documents=Queue.DOCUMENTS in app.amqp.queues.consume_from)


def _consumes(parent: Any) -> bool:
    consumer = getattr(parent, "consumer", None)
    return consumer is not None and getattr(consumer, "task_consumer", None) is not None


app.steps["worker"].add(HeartbeatStep)
