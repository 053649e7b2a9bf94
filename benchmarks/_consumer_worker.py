"""One round of benchmarks/events_consumer.py in a process of its own: consume all events, print the figures as JSON.

`python -m benchmarks._consumer_worker (inbox|bare) GROUP EVENTS`, with the environment of bookings_service.
"""

import json
import resource
import sys
import threading
import time
from typing import Any, Final

from confluent_kafka import TopicPartition

TOPIC: Final = "travel.destinations.departure"
BATCH: Final = 50  # as in shared.inbox.consumer
INSERT: Final = "INSERT INTO bench_effect (event_id, key) VALUES (%s, %s)"


class Meter:
    """Measures from the first event to the last one: seconds, and seconds of CPU of this process."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._count = 0
        self.done = threading.Event()
        self.figures: dict[str, float] = {}

    def count(self, events: int = 1) -> None:
        """Note that so many more events took effect."""
        with self._lock:
            if self._count == 0:
                self._begun = time.perf_counter(), _cpu()
            self._count += events
            if self._count >= self._events and not self.done.is_set():
                begun, cpu = self._begun
                self.figures = {"seconds": time.perf_counter() - begun, "cpu": _cpu() - cpu, "events": self._count}
                self.done.set()


def inbox(group: str, meter: Meter) -> None:
    """Consume with the inbox. The handler does one INSERT."""
    from django.db import connection

    from contracts.travel.events.v1.destinations_pb2 import DepartureChanged
    from shared.inbox.consumer import EventConsumer

    def handler(_: DepartureChanged, *, received: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [received.event_id, received.key])
        meter.count()

    EventConsumer(name=group, handlers={DepartureChanged: handler}, stop=meter.done).run()


def bare(group: str, meter: Meter) -> None:
    """Consume without an inbox and without decoding: one INSERT for each record, and a commit for each batch."""
    from django.db import connection, transaction

    from shared.kafka.clients import group_consumer

    consumer = group_consumer(group)
    consumer.subscribe([TOPIC])
    due = 0.0
    while not meter.done.is_set():
        if (first := consumer.poll(0.5)) is None:
            continue
        records = [first, *consumer.consume(BATCH - 1, timeout=0)]
        with transaction.atomic():
            for record in records:
                with connection.cursor() as cursor:
                    cursor.execute(INSERT, [str(record.offset()), (record.key() or b"").decode()])
        for record in records:
            consumer.store_offsets(offsets=[TopicPartition(TOPIC, record.partition(), record.offset() + 1)])
        if time.monotonic() > due:
            due = time.monotonic() + 1.0
            consumer.commit(asynchronous=True)
        meter.count(len(records))
    consumer.close()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Run one round and print its figures."""
    kind, group, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    import django

    django.setup()
    meter = Meter(events)
    {"inbox": inbox, "bare": bare}[kind](group, meter)
    sys.stdout.write("figures " + json.dumps(meter.figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
