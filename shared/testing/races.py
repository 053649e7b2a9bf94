"""Races: several callables start at the same instant, each in a thread with its own database connection."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def race(callables: Iterable[Callable[[], T]], *, timeout: float = 30.0) -> list[T | Exception]:
    """Run all `callables` at once and return what each returned or raised, in their order.

    Each thread connects to every database before the start, so that connecting is no part of the race. The test needs
    `django_db(transaction=True)`, because the threads see only committed rows. Raises TimeoutError after `timeout`
    seconds.
    """
    runners = list(callables)
    barrier = Barrier(len(runners))

    def run(work: Callable[[], T]) -> T | Exception:
        try:
            for connection in connections.all():
                connection.ensure_connection()
            barrier.wait(timeout=timeout)
            return work()
        except Exception as e:  # the test counts it as an outcome
            return e
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(runners)) as pool:
        return [future.result(timeout=timeout) for future in [pool.submit(run, work) for work in runners]]
