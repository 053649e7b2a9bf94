"""A stage with a Kafka broker of its own, and a backlog of events in the outbox of bookings."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks import _stage
from benchmarks._stage import Stage, stage
from launcher.infrastructure import kafka
from launcher.platform import Platform

TOPIC: Final = "travel.bookings.booking"
PARTITIONS: Final = 6
# Four events of each booking. The events of 250 bookings come interleaved, as in life. About 600 bytes of JSON each.
_BACKLOG: Final = f"""
INSERT INTO outbox_outboxevent (event_id, type, topic, key, sequence, value, traceparent, request_id, occurred_at)
SELECT gen_random_uuid(), 'travel.bookings.booking.confirmed.v1', '{TOPIC}', md5((n / 1000 * 250 + n %% 250)::text)::uuid::text,
    n %% 1000 / 250 + 1, json_build_object('booking_id', md5(n::text), 'lines', repeat(md5(n::text), 16))::text,
    '00-' || md5(n::text) || '-0123456789abcdef-01', md5(n::text), now()
FROM generate_series(0, %s::bigint - 1) n"""


@dataclass(frozen=True, slots=True)
class EventsStage:
    """A running database and broker, and the environment of processes that use both."""

    database: Stage
    environment: dict[str, str]

    def backlog(self, events: int) -> None:
        """Replace the outbox by `events` undelivered rows in one transaction, and wake the relay."""
        with self.database.connect() as connection:
            connection.execute("TRUNCATE outbox_outboxevent")
            connection.execute(_BACKLOG, [events])
            connection.execute("NOTIFY outbox")

    def wait_until_delivered(self) -> None:
        """Wait until no row is undelivered. A look costs the database little, because it starts at the last row."""
        with self.database.connect() as connection:
            while connection.execute(
                "SELECT FROM outbox_outboxevent WHERE delivered_at IS NULL ORDER BY id DESC LIMIT 1"
            ).rowcount:
                time.sleep(0.02)


@contextmanager
def events_stage() -> Iterator[EventsStage]:
    """Yield a running stage. Stop and delete everything afterwards."""
    with stage() as bench:
        folder = bench.folder / "broker"
        platform = Platform(var=folder, offset=_stage._free_offset())
        platform.make_folders()
        kafka.prepare(platform)
        environment = {**bench.environment, "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers(platform)}
        with (folder / "kafka.log").open("ab") as log:
            broker = subprocess.Popen(
                kafka.command(platform), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            _stage._wait_for(lambda: _ready(environment), seconds=60)
            kafka.make_topics(environment, {TOPIC: PARTITIONS})
            yield EventsStage(bench, environment)
        finally:
            _stage._end(broker, _stage.signal.SIGTERM)


def _ready(environment: dict[str, str]) -> None:
    if not kafka.ready(environment):
        raise ConnectionError
