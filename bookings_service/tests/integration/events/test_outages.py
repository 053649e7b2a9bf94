"""The relay while the broker hangs, while a topic is missing, and after the relay itself was frozen."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from django.db import connection

from bookings_service.tests.integration.events.support import INVENTORY, delivered, relaying, write
from shared.db import own_database
from shared.events import topic_name
from shared.heartbeat import is_ready, path_of
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.settings.env import env
from shared.testing import eventually
from shared.testing.kafka import events_of
from shared.testing.swallowing_proxy import swallowing_proxy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]

ROOT = Path(__file__).resolve().parents[4]
RELAY = "from shared.outbox.relay import Relay; Relay(database={!r}, name='bookings.relay', lease_seconds=2).run()"


def sequences(key: UUID, count: int) -> list[int]:
    return [event.sequence for event in events_of(INVENTORY, str(key), count=count)]


def test_a_hung_broker_is_noticed_and_a_new_producer_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The network swallows every packet, and the connections of before stay silent for ever.

    Seen failing (ready for 30 s, then not delivered) without the probe in Relay._deliver.
    """
    key, name = uuid7(), "bookings.relay"
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    with swallowing_proxy() as proxy:
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", proxy.address)
        with relaying():
            write(key, 1)
            eventually(delivered)
            assert is_ready(name)

            proxy.swallow()
            write(key, 2, 3)
            eventually(lambda: not is_ready(name), 4.0)  # the probe takes at most 3 s, and a busy machine a little more
            heartbeat = path_of(name)
            assert heartbeat
            before = heartbeat.stat().st_mtime_ns
            eventually(lambda: heartbeat.stat().st_mtime_ns > before, 3.0)
            assert not is_ready(name)

            proxy.go_on(forget=True)
            eventually(delivered, 20.0)
            eventually(lambda: is_ready(name))
            assert list(dict.fromkeys(sequences(key, 3))) == [1, 2, 3]


def test_a_missing_topic_holds_back_no_other_topic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Seen failing (nothing was delivered for 30 s, without a heartbeat) with a relay that waits for a whole batch."""
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    missing, other = f"missing.{secrets.token_hex(4)}", uuid7()
    for sequence in (1, 2, 3):
        OutboxEvent.objects.create(
            type="travel.bookings.inventory.changed.v1", topic=missing, key="k", sequence=sequence, value="{}",
            occurred_at=datetime.now(UTC),
        )  # fmt: skip
    write(other, 1, 2)
    waiting = OutboxEvent.objects.filter(topic=missing, delivered_at__isnull=True, set_aside_at__isnull=True)

    with relaying():
        eventually(lambda: not OutboxEvent.objects.exclude(topic=missing).filter(delivered_at__isnull=True).exists())
        assert waiting.count() == 3
        assert is_ready("bookings.relay")
        with made(missing):
            eventually(delivered, 15.0)
            assert [event.sequence for event in events_of(missing, "k", count=3)] == [1, 2, 3]


@contextmanager
def made(topic: str) -> Iterator[None]:
    """Make a topic during the body."""
    admin, name = AdminClient({"bootstrap.servers": env.str("KAFKA_BOOTSTRAP_SERVERS")}), topic_name(topic)
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])[name].result(15)
    try:
        yield
    finally:
        admin.delete_topics([name])[name].result(15)


@contextmanager
def relay_process() -> Iterator[subprocess.Popen[bytes]]:
    """Run a relay in its own process."""
    process = subprocess.Popen([sys.executable, "-c", RELAY.format(own_database())], cwd=ROOT, env=os.environ)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(10)


def test_a_standby_takes_over_from_a_frozen_relay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The frozen relay continues later, and waits for its turn.

    Seen failing (nothing was delivered while it was frozen) without idle_session_timeout.
    """
    key = uuid7()
    write(key, 1)
    with relay_process() as frozen:
        eventually(delivered, 30.0)
        frozen.send_signal(signal.SIGSTOP)
        write(key, 2, 3)
        with relaying():
            eventually(delivered, 20.0)
            frozen.send_signal(signal.SIGCONT)
            write(key, 4)
            eventually(delivered)
            eventually(lambda: _sessions() >= 2, 20.0)  # the frozen relay is connected again
            assert frozen.poll() is None
        write(key, 5)
        eventually(delivered, 20.0)  # by the process: it has taken its turn again

    assert list(dict.fromkeys(sequences(key, 5))) == [1, 2, 3, 4, 5]


def _sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock%'"
            " OR query LIKE '%outbox_outboxevent AS event%'"
        )
        return int(cursor.fetchone()[0])
