"""A circuit breaker for each dependency.

It is pybreaker's, and its lock is held only for counting, never during a call.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pybreaker

from shared.errors import DeadlineExceeded, Unavailable

RETRY_AFTER = 1


class Breaker:
    """Refuses calls at once after `fail_max` failures in a row.

    After `reset_seconds` it lets one probe at a time through.

    Only an unavailable dependency counts as a failure. A refusal does not, because it is an answer.
    """

    def __init__(self, name: str, *, fail_max: int = 5, reset_seconds: float = 10) -> None:
        self._circuit = pybreaker.CircuitBreaker(
            fail_max=fail_max,
            reset_timeout=reset_seconds,
            name=name,
            exclude=[lambda error: not isinstance(error, Unavailable | DeadlineExceeded)],
            throw_new_error_on_trip=False,
        )
        self._probe = threading.Lock()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Count whether the body fails. Raises Unavailable, without running the body, while calls are refused."""
        if self._circuit.current_state == pybreaker.STATE_CLOSED:
            with self._guarded():
                yield
            return
        if not self._probe.acquire(blocking=False):
            raise Unavailable(retry_after=RETRY_AFTER)
        try:
            with self._guarded():
                yield
        finally:
            self._probe.release()

    def close(self) -> None:
        """Forget every failure."""
        self._circuit.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with self._circuit.calling():
                yield
        except pybreaker.CircuitBreakerError as error:
            raise Unavailable(retry_after=RETRY_AFTER) from error
