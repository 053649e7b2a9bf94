"""A producer without an outbox: `python -m benchmarks._in_django _bare_producer encoding|ready`.

It reads the backlog into memory. Then it sends the events, and counts the delivery reports. With `encoding` it encodes
the headers of each event as it sends it, as a service without an outbox must. With `ready` it has them ready. It prints
how many events it sent, in how many seconds, and with how much CPU time.
"""

import sys
import time
from typing import Any

import psycopg

from shared.db import own_database
from shared.events import topic_name
from shared.kafka.clients import producer
from shared.outbox.rows import undelivered


def main() -> None:
    """Send the backlog."""
    with psycopg.connect(own_database(), autocommit=True) as connection:
        rows = undelivered(connection, source="bookings", limit=10_000_000)
    is_ready = sys.argv[1] == "ready"
    records = [
        (topic_name(row.topic), row.key.encode(), row.envelope, row.envelope.headers() if is_ready else None)
        for row in rows
    ]
    sender, delivered = producer("bench"), [0]

    def reported(error: Any, _: Any) -> None:
        if error is not None:
            raise SystemExit(str(error))
        delivered[0] += 1

    sender.list_topics(timeout=10)
    began, used = time.monotonic(), time.process_time()
    for topic, key, envelope, ready in records:
        headers: Any = ready or envelope.headers()
        while True:
            try:
                sender.produce(topic, key=key, value=envelope.value, headers=headers, on_delivery=reported)
                break
            except BufferError:
                sender.poll(0.01)
        sender.poll(0)
    sender.flush(60)
    print(delivered[0], time.monotonic() - began, time.process_time() - used, flush=True)


if __name__ == "__main__":
    main()
