"""Delivery, step by step, against a broker in memory: what is sent when, and what is marked."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from confluent_kafka import KafkaError, KafkaException
from psycopg.pq import TransactionStatus

from bookings_service.tests.integration.events.broker import Broker
from bookings_service.tests.integration.events.support import write
from shared.db import own_database
from shared.ids import uuid7
from shared.outbox.delivery import Delivery, ProducerLost
from shared.outbox.models import OutboxEvent
from shared.outbox.rows import Connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database() -> Iterator[Connection]:
    """A connection as the relay has one."""
    with psycopg.connect(own_database(), autocommit=True) as connection:
        yield connection


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def delivering(database: Connection, broker: Any, clock: Clock | None = None, window: int = 10_000) -> Delivery:
    return Delivery(connection=database, producer=broker, source="bookings", clock=clock or Clock(), window=window)


def finish(delivery: Delivery, steps: int = 200) -> None:
    """Do steps until there is no work. Raises AssertionError if there still is after `steps`."""
    assert any(not delivery.step() for _ in range(steps)), f"there is still work after {steps} steps"


def marked(key: UUID) -> list[int]:
    """Return the sequences of the key's rows that are marked as delivered."""
    rows = OutboxEvent.objects.filter(key=str(key), delivered_at__isnull=False)
    return list(rows.values_list("sequence", flat=True))


def of_key(broker: Broker, key: UUID) -> list[int]:
    return [sequence for owner, sequence in broker.log if owner == str(key)]


def test_a_row_is_sent_only_after_the_report_of_the_row_before_it(database: Connection) -> None:
    """Seen failing (both rows were sent in the first step) if TopicQueue.add treats each row as the first of its key."""
    key, broker = uuid7(), Broker()
    write(key, 1, 2)
    delivery = delivering(database, broker)
    broker.most_reports = 0

    delivery.step()
    assert [sequence for _, sequence, _ in broker.sent] == [1]
    assert marked(key) == []

    broker.most_reports = 1
    delivery.step()
    assert marked(key) == [1]
    delivery.step()
    assert marked(key) == [1, 2]


def test_rows_behind_a_refused_row_wait_although_the_broker_would_take_them(database: Connection) -> None:
    """Seen failing (3 and 4 were taken and marked) if TopicQueue.refused lets the next row of the key follow."""
    key, other = uuid7(), uuid7()
    broker = Broker(refuses=lambda owner, n: KafkaError.INVALID_RECORD if (owner, n) == (str(key), 2) else None)
    write(key, 1, 2, 3, 4)
    write(other, 1, 2, 3, 4)
    delivery = delivering(database, broker)

    finish(delivery)

    assert (of_key(broker, key), marked(key)) == ([1], [1])
    assert of_key(broker, other) == [1, 2, 3, 4]
    assert OutboxEvent.objects.get(key=str(key), sequence=2).cause.startswith("INVALID_RECORD")


def test_rows_refused_beside_a_bad_row_are_not_set_aside(database: Connection) -> None:
    """The broker refuses every request with the bad row in it.

    Seen failing (innocent rows were set aside) if TopicQueue.decide takes each refused row for the one at fault.
    """
    keys = [uuid7() for _ in range(40)]
    bad = str(keys[13])

    class Batching(Broker):
        def poll(self, timeout: float) -> int:
            refused = any(owner == bad for owner, _, _ in self.sent)
            self.refuses = lambda owner, n: KafkaError.MSG_SIZE_TOO_LARGE if refused else None
            return super().poll(timeout)

    broker = Batching()
    for key in keys:
        write(key, 1, 2)

    finish(delivering(database, broker), steps=30)

    assert [row.key for row in OutboxEvent.objects.filter(set_aside_at__isnull=False)] == [bad]
    assert {str(key): of_key(broker, key) for key in keys} == {
        str(key): [] if str(key) == bad else [1, 2] for key in keys
    }


def test_a_row_that_the_producer_itself_refuses_is_set_aside(database: Connection) -> None:
    """`produce` raises. Seen failing (nothing of the batch was marked) without the handler in Delivery._send."""
    key, other = uuid7(), uuid7()

    class Raising(Broker):
        def produce(self, topic: str, *, key: bytes, value: bytes, headers: Any, on_delivery: Any) -> None:
            if key.decode() == bad:
                raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
            super().produce(topic, key=key, value=value, headers=headers, on_delivery=on_delivery)

    bad, broker = str(key), Raising()
    write(key, 1, 2)
    write(other, 1, 2)
    delivery = delivering(database, broker)

    finish(delivery)

    assert (marked(key), marked(other)) == ([], [1, 2])
    assert list(OutboxEvent.objects.filter(set_aside_at__isnull=False).values_list("sequence", flat=True)) == [1]


def test_a_full_producer_loses_no_row(database: Connection) -> None:
    """The producer takes two records between polls. Seen failing (rows were never sent) without `put_back`."""
    keys = [uuid7() for _ in range(9)]

    class Small(Broker):
        def produce(self, topic: str, *, key: bytes, value: bytes, headers: Any, on_delivery: Any) -> None:
            if len(self.sent) == 2:
                raise BufferError
            super().produce(topic, key=key, value=value, headers=headers, on_delivery=on_delivery)

    broker = Small()
    for key in keys:
        write(key, 1)
    delivery = delivering(database, broker)

    finish(delivery)

    assert sorted(broker.log) == sorted((str(key), 1) for key in keys)
    assert all(marked(key) == [1] for key in keys)


def test_a_failed_topic_is_tried_again_with_one_row_and_back_off(database: Connection) -> None:
    """Seen failing (all rows were sent in each step) without the pause in TopicQueue.failed."""
    keys = [uuid7() for _ in range(3)]
    clock, broker = Clock(), Broker(refuses=lambda *_: KafkaError._UNKNOWN_TOPIC)
    tried: list[str] = []
    for key in keys:
        write(key, 1)
    delivery = delivering(database, broker, clock)
    delivery.step()

    broker.refuses = lambda owner, _: tried.append(owner) or KafkaError._UNKNOWN_TOPIC  # type: ignore[func-returns-value]
    for _ in range(5):
        delivery.step()
    assert tried == []
    clock.now = 1.0
    for _ in range(5):
        delivery.step()
    assert tried == [str(keys[0])]

    broker.refuses, clock.now = (lambda *_: None), 100.0
    finish(delivery)
    assert [marked(key) for key in keys] == [[1], [1], [1]]


def test_what_was_delivered_before_the_producer_was_lost_is_marked(database: Connection) -> None:
    first, second = uuid7(), uuid7()
    broker = Broker(refuses=lambda owner, _: KafkaError._PURGE_QUEUE if owner == str(second) else None)
    write(first, 1)
    write(second, 1)

    with pytest.raises(ProducerLost):
        delivering(database, broker).step()

    assert (marked(first), marked(second)) == ([1], [])


def test_a_small_window_sends_everything_in_order(database: Connection) -> None:
    keys, broker = [uuid7() for _ in range(5)], Broker()
    for sequence in range(1, 9):
        for key in keys:
            write(key, sequence)
    delivery = delivering(database, broker, window=6)

    finish(delivery)

    assert all(of_key(broker, key) == list(range(1, 9)) for key in keys)


def test_no_transaction_is_open_while_a_row_is_in_flight(database: Connection) -> None:
    """Seen failing (INTRANS) if Delivery._fetch opens a transaction."""
    broker = Broker()
    broker.most_reports = 0
    write(uuid7(), 1)

    delivery = delivering(database, broker)
    delivery.step()

    assert delivery.in_flight == 1
    assert database.info.transaction_status is TransactionStatus.IDLE


def test_what_a_frozen_relay_sends_later_is_only_a_repeat(database: Connection) -> None:
    """It froze with row 1 in flight. Another relay delivered the rows, and PostgreSQL ended the session of the first.

    Seen failing (rows 1, 2 and 3 were in flight) if TopicQueue.add treats each row as the first of its key.
    """
    key, log = uuid7(), Broker().log
    frozen_broker, broker = Broker(), Broker()
    frozen_broker.log = broker.log = log
    write(key, 1, 2, 3)
    with psycopg.connect(own_database(), autocommit=True) as lost:
        clock = Clock()
        frozen = delivering(lost, frozen_broker, clock)
        frozen_broker.most_reports = 0
        frozen.step()
        in_flight = [sequence for _, sequence, _ in frozen_broker.sent]

        finish(delivering(database, broker))
        before = list(OutboxEvent.objects.values_list("sequence", "delivered_at"))
        database.execute("SELECT pg_terminate_backend(%s, 5000)", [lost.info.backend_pid])
        frozen_broker.most_reports = 10
        clock.now = 20.0
        with pytest.raises(psycopg.OperationalError):
            frozen.step(fetch=False)
        frozen_broker.poll(0)  # what librdkafka sends by itself

    assert in_flight == [1]
    assert list(frozen_broker.sent) == []
    assert of_key(broker, key) == [1, 2, 3, 1]
    assert list(OutboxEvent.objects.values_list("sequence", "delivered_at")) == before


def test_a_relay_that_lost_its_session_sends_nothing_more(database: Connection) -> None:
    """The producer was full, so a row waited in hand. Meanwhile staff may have discarded it.

    Seen failing (no error came) without Delivery._confirm.
    """

    class Full(Broker):
        room = 1

        def produce(self, topic: str, *, key: bytes, value: bytes, headers: Any, on_delivery: Any) -> None:
            if len(self.sent) >= self.room:
                raise BufferError
            super().produce(topic, key=key, value=value, headers=headers, on_delivery=on_delivery)

    first, clock, broker = uuid7(), Clock(), Full()
    write(first, 1)
    write(uuid7(), 1)
    broker.most_reports = 0
    with psycopg.connect(own_database(), autocommit=True) as lost:
        delivery = delivering(lost, broker, clock)
        delivery.step()
        database.execute("SELECT pg_terminate_backend(%s, 5000)", [lost.info.backend_pid])
        broker.room, clock.now = 10, 20.0

        with pytest.raises(psycopg.OperationalError):
            delivery.step(fetch=False)

    assert [owner for owner, _, _ in broker.sent] == [str(first)]


def test_a_topic_with_a_refused_row_sends_no_new_rows_until_it_is_decided(database: Connection) -> None:
    """Otherwise steady traffic puts the decision off for ever, because it is made when no row is in flight.

    Seen failing (the new row was sent) if TopicQueue.next sends ready rows beside refused ones.
    """
    bad, beside, new = uuid7(), uuid7(), uuid7()
    broker = Broker(refuses=lambda owner, _: KafkaError.INVALID_RECORD if owner == str(bad) else None)
    broker.most_reports = 1
    write(bad, 1)
    write(beside, 1)
    delivery = delivering(database, broker)
    delivery.step()
    write(new, 1)

    delivery.step()

    assert (marked(beside), list(broker.sent)) == ([1], [])
    finish(delivery)
    assert list(OutboxEvent.objects.filter(set_aside_at__isnull=False).values_list("key", flat=True)) == [str(bad)]
    assert marked(new) == [1]
