"""Limits how many travellers' requests wait for the provider at the same time.

A slow provider then blocks only a few threads. The clock and the commands for operators call the provider without this
limit.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings

from bookings_service.payments.providers.base import OutcomeUnknown


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.PROVIDER_CALLS_AT_ONCE)


@contextmanager
def provider_slot(*, wait: float = 0.5) -> Iterator[None]:
    """Hold one of PROVIDER_CALLS_AT_ONCE slots during the body.

    Raises OutcomeUnknown if no slot becomes free within `wait` seconds.
    """
    if not _slots().acquire(timeout=wait):
        # Nothing was sent. It is still OutcomeUnknown: the payment stays live, and the clock sends it later.
        # NothingDone would make the payment FAILED.
        raise OutcomeUnknown
    try:
        yield
    finally:
        _slots().release()
