"""Limits how many calls to the provider run at once, so that a slow provider blocks a few threads and not all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings

from bookings_service.payments.providers.base import ProviderSilent


@cache
def _slots() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.PROVIDER_CALLS_AT_ONCE)


@contextmanager
def slot(*, wait: float = 0.5) -> Iterator[None]:
    """Hold one of PROVIDER_CALLS_AT_ONCE slots.

    Raises ProviderSilent after `wait` seconds; the reconciler asks later.
    """
    if not _slots().acquire(timeout=wait):
        raise ProviderSilent
    try:
        yield
    finally:
        _slots().release()
