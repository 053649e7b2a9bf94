"""Photos of places, drawn as maps from open data, so that every place has a picture from the first day."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_slots = threading.BoundedSemaphore(2)


@contextmanager
def drawing_slot() -> Iterator[None]:
    """Hold one of two drawing slots. Drawing is CPU-bound and must not occupy every thread of a web process."""
    with _slots:
        yield
