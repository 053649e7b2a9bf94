"""The brake of an event type: if its handler fails for too many keys, the type waits and everything else flows.

The outcomes of keys are counted in the memory of each process, because each process sees whole keys. Whether a type is
braked is in the table BrakedType, which all consumer processes of a service share.

Only failures of the handler count. A malformed message is the fault of its producer: the handler would refuse it on any
day, so a pause mends nothing, and it would hold back the good messages of other producers.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from shared.backoff import pause_before
from shared.inbox.models import BrakedType

log = structlog.get_logger(__name__)

_MOST_KEYS: Final = 50_000  # for each type, so that a busy type does not fill the memory
_BRAKE: Final = """
    INSERT INTO inbox_brakedtype (consumer, event_type, cause, next_probe_at)
    VALUES (%s, %s, %s, now() + make_interval(secs => %s)) ON CONFLICT (consumer, event_type) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class BrakeLimits:
    """When a type is braked, and how long each pause before a probe is.

    A type is braked when at least `keys` distinct keys failed for good within `window`, and they are at least `share`
    of the type's keys that this process saw within `window`. `pauses` are seconds, each shortened at random by half.
    """

    keys: int = 5
    share: float = 0.5
    window: timedelta = timedelta(minutes=5)
    pauses: tuple[float, ...] = (10, 20, 40, 80, 160, 300)


class KeyOutcomes:
    """The last outcome of each key of one event type within the last `window` seconds."""

    def __init__(self, *, window: float) -> None:
        self._window = window
        self._last: dict[str, tuple[float, bool]] = {}  # the least recent key first
        self.failed = 0

    @property
    def seen(self) -> int:
        """The number of keys."""
        return len(self._last)

    def note(self, key: str, *, failed: bool, now: float) -> None:
        """Replace the outcome of `key`, and forget what is older than the window."""
        self._forget(key)
        self._last[key] = (now, failed)
        self.failed += failed
        while self._last[oldest := next(iter(self._last))][0] < now - self._window or self.seen > _MOST_KEYS:
            self._forget(oldest)

    def _forget(self, key: str) -> None:
        if (outcome := self._last.pop(key, None)) is not None:
            self.failed -= outcome[1]


class Brake:
    """The brakes of all event types of one consumer. Safe in threads."""

    def __init__(
        self, *, consumer: str, limits: BrakeLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._consumer = consumer
        self._limits = limits or BrakeLimits()
        self._clock = clock
        self._lock = threading.Lock()
        self._outcomes: dict[str, KeyOutcomes] = {}

    def note_success(self, event_type: str, key: str) -> None:
        """Note that an event of the key took effect."""
        with self._lock:
            self._note(event_type, key, failed=False)

    def note_failure(self, event_type: str, key: str, *, cause: str) -> None:
        """Note that an event of the key failed for good, and brake the type if too many keys failed.

        Joins the caller's transaction.
        """
        limits = self._limits
        with self._lock:
            outcomes = self._note(event_type, key, failed=True)
            failed, seen = outcomes.failed, outcomes.seen
            if failed < limits.keys or failed < limits.share * seen:
                return
        with connection.cursor() as cursor:
            pause = pause_before(2, limits.pauses)
            cursor.execute(_BRAKE, [self._consumer, event_type, cause[:500].replace("\x00", ""), pause])
            if cursor.rowcount:
                log.error(
                    "alarm:event_type_braked",
                    consumer=self._consumer, type=event_type, failed_keys=failed, seen_keys=seen, cause=cause,
                )  # fmt: skip

    def braked_types(self) -> frozenset[str]:
        """Return the types that are braked now."""
        return frozenset(
            BrakedType.objects.filter(consumer=self._consumer).order_by().values_list("event_type", flat=True)
        )

    def types_to_probe(self) -> list[str]:
        """Return the braked types whose pause is over, the longest due first."""
        rows = BrakedType.objects.filter(consumer=self._consumer, next_probe_at__lte=Now()).order_by("next_probe_at")
        return list(rows.values_list("event_type", flat=True))

    def lock_for_probe(self, event_type: str) -> BrakedType | None:
        """Lock the brake if its pause is over. Return None if it is not over, or another process probes."""
        rows = BrakedType.objects.filter(consumer=self._consumer, event_type=event_type, next_probe_at__lte=Now())
        return rows.select_for_update(skip_locked=True).first()

    def postpone(self, brake: BrakedType, *, cause: str) -> None:
        """Note that a probe failed. The next one comes after a longer pause."""
        pause = timedelta(seconds=pause_before(brake.probes + 3, self._limits.pauses))
        BrakedType.objects.filter(id=brake.id).update(
            probes=F("probes") + 1, cause=cause[:500].replace("\x00", ""), next_probe_at=Now() + pause
        )
        log.error(
            "alarm:event_type_still_braked",
            consumer=self._consumer, type=brake.event_type, failed_probes=brake.probes + 1, cause=cause,
        )  # fmt: skip

    def release(self, event_type: str) -> None:
        """Handle the type again, because one of its events took effect. Its waiting events follow in order."""
        released, _ = BrakedType.objects.filter(consumer=self._consumer, event_type=event_type).delete()
        if released:
            with self._lock:
                self._outcomes.pop(event_type, None)
            log.warning("event_type_resumed", consumer=self._consumer, type=event_type)

    def _note(self, event_type: str, key: str, *, failed: bool) -> KeyOutcomes:
        if (outcomes := self._outcomes.get(event_type)) is None:
            outcomes = KeyOutcomes(window=self._limits.window.total_seconds())
            self._outcomes[event_type] = outcomes
        outcomes.note(key, failed=failed, now=self._clock())
        return outcomes
