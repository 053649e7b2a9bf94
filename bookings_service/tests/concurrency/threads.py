"""A crowd: many tasks, worked off by as many threads as a service has, each with a database connection of its own."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg
from django.db import OperationalError, connections

from shared.errors import InFlight, Unavailable

T = TypeVar("T")
AT_ONCE = 16


def run_in_threads(tasks: Sequence[Callable[[], T]], *, at_once: int = AT_ONCE) -> list[T | Exception]:
    """Do all `tasks`, `at_once` of them at a time, begun together; return what each returned or raised, in their order."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(tasks)):
        waiting.put(index)
    outcomes: list[T | Exception | None] = [None] * len(tasks)
    together = threading.Barrier(min(at_once, len(tasks)))

    def work() -> None:
        for connection in connections.all():
            connection.ensure_connection()
        together.wait(30)
        try:
            while True:
                index = waiting.get_nowait()
                try:
                    outcomes[index] = tasks[index]()
                except Exception as error:
                    outcomes[index] = error
        except queue.Empty:
            return
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes  # every index was worked off


def with_retries(attempt: Callable[[], T]) -> T:
    """Do as a client does that was told to come back in a moment: in flight, away, or too long a wait for a row.

    A deadlock is not among them: the order of locks forbids it.
    """
    for _ in range(200):
        try:
            return attempt()
        except (InFlight, Unavailable):
            time.sleep(0.02)
        except OperationalError as error:
            if not isinstance(error.__cause__, (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)):
                raise
            time.sleep(0.02)
    raise AssertionError("sent away for ever")
