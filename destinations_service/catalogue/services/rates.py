"""Exchange rates: who writes them publishes that they changed."""

from destinations_service.catalogue import events
from shared.db import advisory_xact_lock, clock_now


def record_rates_change() -> None:
    """Publish that exchange rates changed. Call it in the transaction of the write.

    The version is the time in microseconds, read under the lock of the list, so that it grows.
    """
    advisory_xact_lock("exchange rates")
    events.publish_exchange_rates(version=int(clock_now().timestamp() * 1_000_000))
