"""Consumers that join, leave and are killed while events arrive: a consumer process, and the group of them.

`python -m notifications_service.tests.events.rebalancing` is one consumer. Its handler refuses an event now and then,
and the event number POISON of some keys always. It writes what took effect into the table `rebalanced`.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from django.db import connection, connections

from shared.errors import Conflict

ROOT: Final = Path(__file__).resolve().parents[3]
POISON: Final = 7
TABLE: Final = """
    CREATE TABLE IF NOT EXISTS rebalanced (id bigserial PRIMARY KEY, key text NOT NULL, sequence int NOT NULL)
"""
_REFUSED: Final = 0.02
_BACKOFF: Final = (0.05, 0.1, 0.1, 0.2)


class Refuses(Conflict):
    """The handler refuses the event."""

    code = "TEST_REFUSES"


def is_poisoned(key: str) -> bool:
    """Return whether the key's event number POISON is always refused."""
    return key.endswith("dead")


def handle(_: Any, *, received: Any) -> None:
    """Write that the event took effect. Some are refused once, and the poisoned ones always."""
    if random.random() < _REFUSED or (is_poisoned(received.key) and received.sequence == POISON):
        raise Refuses
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO rebalanced (key, sequence) VALUES (%s, %s)", [received.key, received.sequence])


def consume(stop: threading.Event) -> None:
    """Consume until `stop` is set."""
    from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed
    from shared.inbox.consumer import EventConsumer, Limits

    limits = Limits(backoff=_BACKOFF)
    try:
        EventConsumer(name="notifications", handlers={BookingConfirmed: handle}, stop=stop, limits=limits).run()
    finally:
        connections.close_all()


class Group:
    """The consumers that run now: threads of this process, which leave the group, and processes, which are killed."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self.rebalances = 0
        self._threads: list[tuple[threading.Thread, threading.Event]] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def join(self) -> None:
        """Let one more thread join."""
        stop = threading.Event()
        thread = threading.Thread(target=self._guarded, args=[stop])
        thread.start()
        self._threads.append((thread, stop))
        self.rebalances += 1

    def leave(self) -> None:
        """Let the oldest thread leave."""
        thread, stop = self._threads.pop(0)
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
        self.rebalances += 1

    def join_as_process(self) -> None:
        """Let a process join."""
        command = [sys.executable, "-m", "notifications_service.tests.events.rebalancing"]
        own = connection.settings_dict
        url = f"postgres://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}/{own['NAME']}"
        environment = {
            **os.environ,
            "NOTIFICATIONS_DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "notifications_service.config.settings",
        }
        self._processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL))
        self.rebalances += 1

    def kill(self) -> None:
        """Kill the oldest process."""
        process = self._processes.pop(0)
        process.kill()
        process.wait()
        self.rebalances += 1

    def churn(self, chance: random.Random) -> None:
        """Let one consumer join or leave, or kill one. At least one thread stays."""
        steps: list[Callable[[], None]] = [self.join] if len(self._threads) < 3 else []
        if len(self._threads) > 1:
            steps.append(self.leave)
        steps.append(self.kill if self._processes else self.join_as_process)
        chance.choice(steps)()

    def end(self) -> None:
        """Stop every consumer."""
        while self._processes:
            self.kill()
        while self._threads:
            self.leave()

    def _guarded(self, stop: threading.Event) -> None:
        try:
            consume(stop)
        except BaseException as error:
            self.failures.append(error)


@contextmanager
def group() -> Iterator[Group]:
    """Yield a group with one consumer, and the table of effects. Both are gone afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    own = Group()
    own.join()
    try:
        yield own
    finally:
        own.end()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE rebalanced")


def effects() -> dict[str, list[int]]:
    """Return the sequences of each key's events in the order in which they took effect."""
    found: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, sequence FROM rebalanced ORDER BY id")
        for key, sequence in cursor.fetchall():
            found.setdefault(key, []).append(sequence)
    return found


def main() -> int:
    """Consume until SIGTERM."""
    import django

    django.setup()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with suppress(KeyboardInterrupt):
        consume(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
