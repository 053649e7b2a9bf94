"""The sessions that have ended while access tokens of theirs are still valid. Each process keeps its own record.

`shared.account_feed` fills it from Kafka. Verifying a token is a look-up in memory, and no other process is asked.
"""

import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog

MAX_SESSIONS: Final = 100_000  # about 20 MB
_LOGGED: Final = 1_000  # one of so many forgotten sessions, so that a flood of events does not flood the log

log = structlog.get_logger(__name__)


class Revocations:
    """Ended sessions, each with the instant (seconds since the epoch) after which none of its tokens is valid.

    Threads may share it. At most MAX_SESSIONS are kept: beyond that, those that were noted first are forgotten.
    """

    def __init__(self, *, limit: int = MAX_SESSIONS, clock: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._clock = clock
        self._until: dict[UUID, float] = {}  # in the order in which they were noted
        self._forgotten = 0
        self._lock = threading.Lock()

    def note(self, session_id: UUID, *, until: float) -> None:
        """Note that the session has ended and that its tokens stay valid up to `until`."""
        now = self._clock()
        if until <= now:
            return
        with self._lock:
            self._until[session_id] = max(until, self._until.get(session_id, 0.0))
            self._forget(now)

    def has_ended(self, session_id: UUID) -> bool:
        """Return whether the session has ended."""
        return session_id in self._until

    def __len__(self) -> int:
        return len(self._until)

    def _forget(self, now: float) -> None:
        """Forget the oldest while their tokens have expired, or while there are too many."""
        while self._until:
            oldest = next(iter(self._until))
            if self._until[oldest] > now:
                if len(self._until) <= self._limit:
                    return
                if self._forgotten % _LOGGED == 0:
                    log.error("revocation_forgotten", session_id=str(oldest), limit=self._limit)
                self._forgotten += 1
            del self._until[oldest]


revocations: Final = Revocations()
