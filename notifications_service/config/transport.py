"""Celery's connection to Valkey, for which an entry of a queue that is no message of Celery's is no reason to stop.

kombu would end the worker, and after a few such entries the supervisor no longer starts it again. Nothing is only in a
queue, so an entry that cannot be handled is dropped: the sweep enqueues what is due.
"""

from typing import Any

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis

log = structlog.get_logger(__name__)


class Channel(redis.Channel):  # type: ignore[misc]
    """A channel that drops what it cannot handle."""

    def _brpop_read(self, **options: Any) -> bool:
        """Take the next entry. Raises what says that the broker is unavailable, or that the queues are empty."""
        in_hand = set(self.qos._delivered)
        try:
            return bool(super()._brpop_read(**options))
        except Exception as error:
            outages = (redis.Empty, *self.connection_errors, *self.connection.channel_errors)
            if isinstance(error, outages) and not isinstance(error, KeyError):  # that is an entry without a field
                raise
            for tag in set(self.qos._delivered) - in_hand:
                self.basic_reject(tag, requeue=False)
            log.error("alarm:queue_entry_dropped", cause=f"{type(error).__name__}: {error}"[:500])
            return True


class Transport(redis.Transport):  # type: ignore[misc]
    """The transport of this channel."""

    Channel = Channel


def use() -> None:
    """Let every connection to Valkey that is made from now on have this transport."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
