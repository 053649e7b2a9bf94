"""Races: several callables let go at the same instant, each in a thread with a database connection of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def race(callables: Iterable[Callable[[], T]], *, timeout: float = 30.0) -> list[T | Exception]:
    """Run all `callables` at once and return what each returned or raised, in their order.

    Each thread holds an open connection to every database before the start, so that the race is about the work and not about
    connecting. The test needs `django_db(transaction=True)`: the threads see committed rows alone. Raises TimeoutError after
    `timeout` seconds.
    """
    runners = list(callables)
    barrier = Barrier(len(runners))

    def run(work: Callable[[], T]) -> T | Exception:
        try:
            for connection in connections.all():
                connection.ensure_connection()
            barrier.wait(timeout=timeout)
            return work()
        except Exception as e:  # an outcome of the race, for the test to count
            return e
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(runners)) as pool:
        return [future.result(timeout=timeout) for future in [pool.submit(run, work) for work in runners]]
