"""Pruning: the outbox stays as small as its retention allows, however many events pass through it."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.db.models.functions import Now

from bookings_service.tests.integration.events.broker import Broker
from bookings_service.tests.integration.events.support import delivered, relaying, write
from shared.db import own_database
from shared.ids import uuid7
from shared.outbox.delivery import Delivery
from shared.outbox.models import OutboxEvent
from shared.outbox.pruning import prune_batch
from shared.outbox.rows import Connection, configure
from shared.testing import eventually
from shared.testing.scale import scaled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]

EVENTS = scaled(reduced=20_000, whole=1_000_000)
ROUNDS = 10
WRITE = """
INSERT INTO outbox_outboxevent (event_id, type, topic, key, sequence, value, traceparent, request_id, occurred_at)
SELECT gen_random_uuid(), 'travel.bookings.inventory.changed.v1', 'travel.bookings.inventory', md5((n / 4)::text), n, '{}', '', '', now()
FROM generate_series(1, %s::bigint) n"""


@pytest.fixture
def database() -> Iterator[Connection]:
    """A connection as the relay has one."""
    with psycopg.connect(own_database(), autocommit=True) as connection:
        configure(connection, lease_seconds=600)
        yield connection


class Taking(Broker):
    """A broker that takes everything and keeps nothing."""

    def poll(self, timeout: float) -> int:
        taken = super().poll(timeout)
        self.log.clear()
        return taken


def size(database: Connection) -> int:
    row = database.execute("SELECT pg_total_relation_size('outbox_outboxevent')").fetchone()
    assert row
    return int(row[0])


def test_the_table_stays_flat(database: Connection) -> None:
    """Each round writes, delivers and prunes a tenth of the events. A round always has a backlog beside it.

    VACUUM stands for autovacuum. Seen failing (the table grew with each round) without `prune_batch`.
    """
    sizes, rounds = [], EVENTS // ROUNDS
    delivery = Delivery(connection=database, producer=Taking(), source="bookings")
    database.execute(WRITE, [rounds])
    for _ in range(ROUNDS):
        database.execute(WRITE, [rounds])  # a permanent backlog
        while OutboxEvent.objects.filter(delivered_at__isnull=True).count() > rounds:
            delivery.step()
        while prune_batch(database, retention=timedelta()):
            pass
        assert OutboxEvent.objects.count() <= rounds
        database.execute("VACUUM outbox_outboxevent")
        sizes.append(size(database))

    assert sizes[-1] <= 1.5 * sizes[1], sizes


def test_only_old_delivered_rows_are_deleted(database: Connection) -> None:
    """A discarded row counts as delivered. Seen failing (the undelivered rows went too) without its condition."""
    write(uuid7(), 1, 2, 3, 4)
    old, young, undelivered, discarded = OutboxEvent.objects.all()
    OutboxEvent.objects.filter(id=old.id).update(delivered_at=Now() - timedelta(days=8))
    OutboxEvent.objects.filter(id=young.id).update(delivered_at=Now() - timedelta(days=6))
    OutboxEvent.objects.filter(id=undelivered.id).update(occurred_at=Now() - timedelta(days=80), set_aside_at=Now())
    OutboxEvent.objects.filter(id=discarded.id).update(
        delivered_at=Now() - timedelta(days=8), set_aside_at=Now() - timedelta(days=9)
    )

    assert prune_batch(database, retention=timedelta(days=7)) == 2

    assert set(OutboxEvent.objects.values_list("id", flat=True)) == {young.id, undelivered.id}


def test_a_batch_is_bounded_and_begins_with_the_oldest(database: Connection) -> None:
    write(uuid7(), *range(1, 6))
    for row in OutboxEvent.objects.all():
        OutboxEvent.objects.filter(id=row.id).update(delivered_at=Now() - timedelta(days=20 - row.sequence))

    assert prune_batch(database, retention=timedelta(days=7), limit=3) == 3

    assert list(OutboxEvent.objects.values_list("sequence", flat=True)) == [4, 5]


def test_the_active_relay_prunes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing (the rows stayed) if Relay.run does not start the pruner."""
    monkeypatch.setattr("shared.outbox.pruning.EVERY_SECONDS", 0.1)
    write(uuid7(), 1, 2)
    OutboxEvent.objects.update(delivered_at=Now() - timedelta(days=8))
    with relaying():
        eventually(lambda: not OutboxEvent.objects.exists())


def test_delivery_goes_on_while_a_deletion_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction holds a row that the pruner wants. Seen failing (not delivered) with pruning in the relay's loop."""
    monkeypatch.setattr("shared.outbox.pruning.EVERY_SECONDS", 0.1)
    write(uuid7(), 1)
    OutboxEvent.objects.update(delivered_at=Now() - timedelta(days=8))
    with psycopg.connect(own_database()) as holding, relaying():
        holding.execute("SELECT FROM outbox_outboxevent FOR UPDATE")
        eventually(lambda: _pruner_waits())
        write(uuid7(), 1)
        eventually(delivered)
        holding.rollback()
        eventually(lambda: OutboxEvent.objects.count() == 1)


def _pruner_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])
