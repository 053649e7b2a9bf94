"""Run a process's main loop in a thread of the test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections


@contextmanager
def in_thread(work: Callable[[], None], *, stop: Callable[[], None]) -> Iterator[list[BaseException]]:
    """Run `work` in a thread during the block, then call `stop`.

    Yield a list that gets the error of `work`, if one ends it. Raises AssertionError if `work` does not end.
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield errors
    finally:
        stop()
        thread.join(40)
        assert not thread.is_alive()
