"""Drawn photos of places: maps made from open data, so that every place has a real picture from the first day."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_slots = threading.BoundedSemaphore(2)


@contextmanager
def drawing_slot() -> Iterator[None]:
    """Hold one of two slots: drawing takes a processor, and never all the threads of a web process."""
    with _slots:
        yield
