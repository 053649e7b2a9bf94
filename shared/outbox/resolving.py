"""What staff do with an event that was set aside: retry it, or discard it for a reason."""

from typing import Final

import structlog
from django.db import transaction
from django.db.models.functions import Now

from shared.errors import Conflict
from shared.outbox import health, signals
from shared.outbox.health import SetAside
from shared.outbox.models import OutboxEvent
from shared.outbox.rows import MAX_CAUSE
from shared.text import Text

MAX_REASON: Final = 200

log = structlog.get_logger(__name__)


class EventNotSetAside(Conflict):
    """No event with this id is set aside. It was never set aside, or it was retried or discarded already."""

    code = "EVENT_NOT_SET_ASIDE"
    text = Text(en="No event {event} is set aside.", fr="Aucun événement {event} n'est mis de côté.")


def find(event_id: int) -> SetAside:
    """Return the event with this id. Raises EventNotSetAside."""
    for event in health.set_aside():
        if event.id == event_id:
            return event
    raise EventNotSetAside(event=event_id)


def retry(event_id: int) -> None:
    """Let the relay send the event again, and the events behind it. Raises EventNotSetAside."""
    with transaction.atomic():
        _update(event_id, set_aside_at=None, cause="")
        signals.announce()
    log.info("event_retried", row_id=event_id)


def discard(event_id: int, *, reason: str) -> None:
    """Give the event up for good. It is never sent, and the events behind it follow. Raises EventNotSetAside."""
    with transaction.atomic():
        cause = find(event_id).cause
        _update(event_id, delivered_at=Now(), cause=f"Discarded: {reason[:MAX_REASON]}. {cause}"[:MAX_CAUSE])
        signals.announce()
    log.warning("event_discarded", row_id=event_id)


def _update(event_id: int, **values: object) -> None:
    waiting = OutboxEvent.objects.filter(id=event_id, delivered_at__isnull=True, set_aside_at__isnull=False)
    if not waiting.update(**values):
        raise EventNotSetAside(event=event_id)
