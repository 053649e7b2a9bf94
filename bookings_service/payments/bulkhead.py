"""How many calls to the provider run at once: a slow provider takes a few threads, never all of them."""

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
    """Hold one of PROVIDER_CALLS_AT_ONCE slots. Raises ProviderSilent after `wait` seconds: the reconciler will ask."""
    if not _slots().acquire(timeout=wait):
        raise ProviderSilent
    try:
        yield
    finally:
        _slots().release()
