"""A circuit breaker per dependency: pybreaker's, whose lock is held for counting and never during a call."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pybreaker

from shared.errors import DeadlineExceeded, Unavailable

RETRY_AFTER = 1


class Breaker:
    """After `fail_max` failures in a row it refuses at once; after `reset_seconds` one probe at a time finds out whether the other is back.

    Only an absent dependency counts as a failure: a refusal is an answer.
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
        """Count what the body does. Raises Unavailable, without running it, while the dependency is known to be away."""
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
