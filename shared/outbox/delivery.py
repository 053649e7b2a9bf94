"""Sends outbox rows through one producer, step by step, and marks each row on the broker's delivery report.

What always holds, whatever the broker, this process or another relay does:
- A row is marked only after its delivery report. A crash in between leaves it unmarked, and it is sent again.
- The first occurrences of a key's events are in order. A row is handed to the producer only after each earlier row of
  its key was reported as delivered, to this relay or, by the row's mark, to an earlier one. So at most one row of a key
  is in flight. Whatever a frozen relay or a producer that was given up still sends is therefore a row whose earlier
  rows are all on the topic: it can be a repeat, and never a first occurrence in the wrong place.
- A row that can never be sent is set aside, and then only the later rows of its key wait.
- A topic that fails waits with back-off, and the other topics go on.

It does not rely on the order that an idempotent producer keeps: after a refused request that producer goes on with the
next one, which may hold later rows of the same key.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

import structlog
from confluent_kafka import KafkaException

from shared.events import topic_name
from shared.failpoints import failpoint
from shared.outbox import rows as table
from shared.outbox.refusals import Fault, cause_of, fault_of
from shared.outbox.rows import Connection, Row
from shared.outbox.topic_queue import TopicQueue

WINDOW: Final = 10_000  # the most rows in hand
CONFIRM_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Producer(Protocol):
    """The part of a Kafka producer that the relay uses."""

    @property
    def produce(self) -> Callable[..., None]: ...

    def poll(self, timeout: float) -> int: ...
    def purge(self) -> None: ...


class ProducerLost(Exception):
    """The producer is of no more use. Unmarked rows are sent again by a new one."""


class Delivery:
    """Sends the rows of one producer. It starts no thread, and waits only in the producer's `poll`.

    Call `step` again and again. Use a new Delivery for each producer and each database connection.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        producer: Producer,
        source: str,
        clock: Callable[[], float] = time.monotonic,
        window: int = WINDOW,
    ) -> None:
        self._connection = connection
        self._producer = producer
        self._source = source
        self._clock = clock
        self._window = window
        self._topics: dict[str, TopicQueue] = {}
        self._in_hand: set[int] = set()
        self._reports: list[tuple[Row, Any]] = []
        self._lost: str | None = None
        self._confirmed_at = clock()

    @property
    def in_flight(self) -> int:
        """The number of rows that the producer has, and has not reported on."""
        return sum(topic.in_flight for topic in self._topics.values())

    def step(self, *, wait: float = 0.0, fetch: bool = True) -> bool:
        """Do one round: read rows, send those that may be sent, take the reports, and mark.

        `wait` is how many seconds to wait for a report if rows are in flight. Return whether there was work. Raises
        ProducerLost after it has marked what was delivered.
        """
        self._confirm()
        if fetch:
            self._fetch()
        self._send()
        self._producer.poll(wait if self.in_flight else 0)
        self._confirm()
        worked = bool(self._in_hand or self._reports)
        self._settle()
        if self._lost is not None:
            raise ProducerLost(self._lost)
        return worked

    def _confirm(self) -> None:
        """Before rows are sent, make sure once a second that the session, and so the relay's lock, still exists.

        A relay that was frozen finds here that it has lost both. Meanwhile staff may have discarded a row in its hand.
        """
        if self._clock() - self._confirmed_at >= CONFIRM_SECONDS:
            self._connection.execute("SELECT")
            self._confirmed_at = self._clock()

    def _fetch(self) -> None:
        away = [topic for topic in self._topics.values() if topic.is_away]
        rows: list[Row] = []
        if len(self._in_hand) <= self._window // 2:
            rows = table.undelivered(
                self._connection,
                source=self._source,
                limit=self._window // 2,
                except_ids=self._in_hand,
                except_topics=[topic.name for topic in away],
            )
        now = self._clock()
        for topic in away:
            if topic.is_due(now):
                rows += table.first_of_topic(self._connection, topic.name, source=self._source)
        for row in rows:
            self._in_hand.add(row.id)
            self._topic(row.topic).add(row)

    def _topic(self, name: str) -> TopicQueue:
        return self._topics.get(name) or self._topics.setdefault(name, TopicQueue(name))

    def _send(self) -> None:
        for topic in self._topics.values():
            full_name = topic_name(topic.name)
            while (row := topic.next()) is not None:
                try:
                    self._producer.produce(
                        full_name,
                        key=row.key.encode(),
                        value=row.envelope.value,
                        headers=row.envelope.headers(),
                        on_delivery=partial(self._reported, row),
                    )
                except BufferError:  # the producer's queue is full: the next step goes on
                    topic.put_back(row)
                    return
                except KafkaException as error:
                    self._not_taken(topic, row, error.args[0])

    def _reported(self, row: Row, error: Any, _: Any) -> None:
        self._reports.append((row, error))

    def _not_taken(self, topic: TopicQueue, row: Row, error: Any) -> None:
        """Handle a row that the producer itself refused. It was sent in no request, so no other row is suspected."""
        if fault_of(error) is Fault.ROW:
            self._set_aside(row, cause_of(error), topic.rejected(row))
        else:
            self._reports.append((row, error))

    def _settle(self) -> None:
        reports, self._reports = self._reports, []
        delivered = [row.id for row, error in reports if error is None]
        if delivered:
            failpoint("relay.delivered")
            table.mark_delivered(self._connection, delivered)
            self._in_hand.difference_update(delivered)
        for row, error in reports:
            topic = self._topics[row.topic]
            if error is None:
                topic.delivered(row)
            else:
                self._note_failure(topic, row, error)
        for topic in self._topics.values():
            for row, cause, behind in topic.decide():
                self._set_aside(row, cause, behind)

    def _note_failure(self, topic: TopicQueue, row: Row, error: Any) -> None:
        fault = fault_of(error)
        if fault is Fault.ROW:
            topic.refused(row, cause_of(error))
            return
        if fault is Fault.PRODUCER:
            self._lost = cause_of(error)
        was_away = topic.is_away
        self._in_hand.difference_update(topic.failed(row, self._clock()))
        if not was_away and fault is Fault.TOPIC:
            log.warning("topic_not_available", topic=topic.name, cause=cause_of(error))

    def _set_aside(self, row: Row, cause: str, behind: list[int]) -> None:
        table.set_aside(self._connection, row.id, cause=cause)
        self._in_hand.discard(row.id)
        self._in_hand.difference_update(behind)
        log.error(
            "alarm:event_set_aside", row_id=row.id, type=row.envelope.type, topic=row.topic, key=row.key, cause=cause
        )
