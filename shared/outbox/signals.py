"""The fast path: once the transaction that wrote an event is committed, its relay is woken."""

import logging
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal

from shared.db import notify

CHANNEL = "outbox"
committed = Signal()
log = logging.getLogger(__name__)


def announce() -> None:
    """Send `committed` after the current transaction's commit, once however many events it wrote."""
    if any(entry[1] is _send for entry in connection.run_on_commit):
        return
    transaction.on_commit(_send, robust=True)


def _send() -> None:
    committed.send(sender=None)


def wake_relay(**_: Any) -> None:
    """Wake the service's relay. A wake-up that fails is only late: the relay's sweep finds the row."""
    try:
        notify(CHANNEL)
    except DatabaseError:
        log.warning("the relay could not be woken; its sweep will find the event")
