"""The limits of a consumer: waits, threads and what it may keep in memory."""

from dataclasses import dataclass, field
from typing import Final

from shared.inbox.brake import BrakeLimits
from shared.settings.env import env

OUTAGE_BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


def _threads() -> int:
    return max(1, env.whole_number("CONSUMER_THREADS", default=4))


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a consumer.

    A failing record waits for `backoff` between its attempts. At most `threads` transactions are open at once, each
    with at most `batch` records. At most `records` and `bytes` are kept in memory, and as much again for each
    partition that waits for a dependency. A partition stops when `unstored` records wait for the offset of a failing
    one. `brake` says when an event type is paused.
    """

    backoff: tuple[float, ...] = (0.1, 0.3, 1.0, 2.0)
    batch: int = 50
    brake: BrakeLimits = field(default_factory=BrakeLimits)
    threads: int = field(default_factory=_threads)
    records: int = 1_000
    bytes: int = 16 * 1024 * 1024
    unstored: int = 10_000
