"""Deletes what is past its retention every hour, in a thread of the gRPC process, so that nobody has to remember it.

A process of its own would take 90 MB to work for a second an hour. Several gRPC processes may do it at the same time:
a purge skips the rows that another purge has locked.
"""

import threading
from contextlib import AbstractContextManager
from typing import Final

import structlog

from shared.housekeeping import repeated
from users_service.accounts.services import purge

FIRST_SECONDS: Final = 60.0  # after the start, so that processes that restart often purge too
EVERY_SECONDS: Final = 3_600.0

log = structlog.get_logger(__name__)


def housekeeping(*, first: float = FIRST_SECONDS, every: float = EVERY_SECONDS) -> AbstractContextManager[None]:
    """Purge `first` seconds after the start, and then every `every` seconds, until the context ends.

    The batch under way is finished. If the database is unavailable, the next purge catches up.
    """
    return repeated(_purge_everything, name="purge", first=first, every=every)


def _purge_everything(stop: threading.Event) -> None:
    for name in purge.KINDS:
        rows = 0
        for batch in purge.purge(name):
            rows += batch
            if stop.is_set():
                return
        if rows:
            log.info("purged", what=name, rows=rows)
