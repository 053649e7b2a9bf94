"""Repeat a piece of work in a thread of a process that serves something else, so that nobody has to remember it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from django.db import Error, connection

STOP_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


@contextmanager
def repeated(work: Callable[[threading.Event], None], *, name: str, first: float, every: float) -> Iterator[None]:
    """Do `work` `first` seconds after the start, and then every `every` seconds, until the body ends.

    `work` gets the event that is set when the body ends. If the database is unavailable, the next turn catches up.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_repeat, args=(work, name, stop, first, every), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)


def _repeat(
    work: Callable[[threading.Event], None], name: str, stop: threading.Event, first: float, every: float
) -> None:
    wait = first
    while not stop.wait(wait):
        wait = every
        try:
            work(stop)
        except Error as error:
            log.warning("housekeeping_failed", what=name, cause=type(error).__name__)
        finally:
            connection.close()
