"""Kafka clients, configured once for the whole platform. Create them after a fork, never at import.

`shared/settings/kafka.py` says how they connect. A broker that refuses the sign-in or the certificate is an outage: it
is logged as an error, and the clients keep trying, because the broker's side may be at fault.
"""

import time
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from shared.settings.env import env
from shared.settings.kafka import own_security

# A killed consumer's partitions move on after this; the broker's lowest is 6 s.
_SESSION_MS: Final = 6_000
_MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
_REFUSALS: Final = {KafkaError._AUTHENTICATION, KafkaError._SSL}
_LOG_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)
_last_logged = -_LOG_SECONDS


def connection() -> dict[str, Any]:
    """Return the settings that every client needs: the broker's address, and how to connect and sign in."""
    return {"bootstrap.servers": env.str("KAFKA_BOOTSTRAP_SERVERS"), **own_security()}


def log_refusal(error: KafkaError) -> None:
    """Log that the broker refuses this process, at most once a minute: a wrong password, mechanism or certificate.

    Does nothing for another error.
    """
    global _last_logged
    if error.code() in _REFUSALS and time.monotonic() - _last_logged >= _LOG_SECONDS:
        _last_logged = time.monotonic()
        log.error("alarm:kafka_sign_in_refused", cause=error.str())


def _common(client: str) -> dict[str, Any]:
    return {
        **connection(),
        "error_cb": log_refusal,
        "client.id": client,
        "topic.metadata.refresh.interval.ms": 10_000,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 2_000,
        "log_level": 2,  # at 3, every attempt to connect to a broker that is away is a line; the probe logs the outage
    }


def producer(client: str = "travel", **overrides: Any) -> Producer:
    """Return an idempotent producer: all replicas acknowledge, order is kept, and its own retries make no duplicates.

    A message not delivered within 30 s is reported as failed, and the caller decides what to do.
    """
    return Producer(
        {
            **_common(client),
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 1,
            "compression.type": "lz4",
            "message.max.bytes": _MAX_MESSAGE_BYTES,
            "delivery.timeout.ms": 30_000,
            **overrides,
        }
    )


def group_consumer(group: str, **overrides: Any) -> Consumer:
    """Return a consumer of `group` that stores and commits no offset by itself.

    Without an offset it begins at the start.

    KAFKA_TOPIC_PREFIX is put before `group`, as before topics.
    """
    return Consumer(
        {
            **_common(group),
            "group.id": env.str("KAFKA_TOPIC_PREFIX", default="") + group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": _SESSION_MS,
            "heartbeat.interval.ms": 2_000,
            # The broker answers at once when there is data. This only bounds how long a resumed partition waits.
            "fetch.wait.max.ms": 200,
            "fetch.error.backoff.ms": 100,
            "allow.auto.create.topics": False,
            # The platform's producers open no transactions. With "read_committed", an open transaction of another
            # producer would hold back every later event of its partition, and the lag would not show it.
            "isolation.level": "read_uncommitted",
            **overrides,
        }
    )


def admin() -> AdminClient:
    """Return a client that can create topics."""
    return AdminClient(_common("admin"))
