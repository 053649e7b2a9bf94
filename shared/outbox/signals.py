"""The fast path: the relay is woken as soon as the transaction that wrote an event has committed."""

from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal

from shared.db import notify

CHANNEL = "outbox"
committed = Signal()
log = structlog.get_logger(__name__)


def announce() -> None:
    """Send `committed` after the commit of the current transaction, once for all of its events."""
    if any(entry[1] is _send for entry in connection.run_on_commit):
        return
    transaction.on_commit(_send, robust=True)


def _send() -> None:
    committed.send(sender=None)


def wake_relay(**_: Any) -> None:
    """Wake the service's relay. If this fails, the relay's sweep finds the row a little later."""
    try:
        notify(CHANNEL)
    except DatabaseError:
        log.warning("relay_not_woken")
