"""Runs many tasks in as many threads as a service has, each with its own database connection."""

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
    """Run the tasks in `at_once` threads that start together. Return what each task returned or raised, in order."""
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
    return outcomes  # every index was filled


def with_retries(attempt: Callable[[], T]) -> T:
    """Retry as a client does after InFlight, Unavailable or a lock timeout. Return the first result.

    A deadlock is not retried, because the order of locks must make it impossible.
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
    raise AssertionError("refused 200 times")
