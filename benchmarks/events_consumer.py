"""How many events a consumer with an inbox handles, compared with a bare consumer. It asserts nothing.

`python -m benchmarks.events_consumer [--events 20000] [--rounds 5]` starts its own PostgreSQL and Kafka, puts the
events on a topic of six partitions, and consumes them again and again, in turn with the two programs of
`_consumer_worker`. Each round has a new group and a process of its own. It prints the medians and the ratio, and writes
benchmarks/results/events_consumer.md.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from benchmarks import _stage
from benchmarks._consumer_worker import TOPIC
from launcher.commands.test import free_block
from launcher.infrastructure import kafka, kafka_jars
from launcher.platform import Platform

RESULT: Final = _stage.ROOT / "benchmarks" / "results" / "events_consumer.md"
KEYS: Final = 1_000
TARGET: Final = 0.25
KINDS: Final = ("bare", "inbox")
Figures = dict[str, list[dict[str, float]]]


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Run a Kafka of our own during the `with` block. Yield its address."""
    own = Platform(var=folder, offset=free_block())
    own.make_folders()
    if not kafka_jars.fetched():
        kafka_jars.fetch()
    kafka.prepare(own)
    servers = kafka.bootstrap_servers(own)
    with _stage.process(kafka.command(own), {**os.environ, "RUN_DIR": str(folder)}):
        until, address = time.monotonic() + 60, {"KAFKA_BOOTSTRAP_SERVERS": servers}
        while not kafka.ready(address) and time.monotonic() < until:
            time.sleep(0.2)
        kafka.make_topics(address, {TOPIC: 6})
        yield servers


def put_events(servers: str, count: int) -> None:
    """Put `count` events of KEYS departures on the topic, as a relay does."""
    from confluent_kafka import Producer

    from contracts.travel.events.v1.destinations_pb2 import DepartureChanged, DepartureSnapshot
    from shared.cloudevents import Envelope, to_json
    from shared.ids import uuid7

    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "queue.buffering.max.messages": count + 1})
    for number in range(count):
        key = str(UUID(int=number % KEYS))
        departure = DepartureSnapshot(
            departure_id=key, trip_id=key, version=number, capacity=40, time_zone="Asia/Tokyo"
        )
        message = DepartureChanged(departure=departure)
        event = Envelope(
            id=str(uuid7()), type="travel.destinations.departure.changed.v1", source="destinations", key=key,
            sequence=number, occurred_at=datetime.now(UTC), value=to_json(message).encode(), request_id=f"bench-{number}",
        )  # fmt: skip
        producer.produce(TOPIC, key=key.encode(), value=event.value, headers=event.headers())
    producer.flush(60)


def measure(stage: _stage.Stage, servers: str, *, events: int, rounds: int) -> Figures:
    """Return the figures of every round of both programs."""
    environment = {
        **stage.environment, "KAFKA_BOOTSTRAP_SERVERS": servers, "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "bookings_service.config.settings",
    }  # fmt: skip
    figures: Figures = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in KINDS if number % 2 else reversed(KINDS):
            with stage.connect() as connection:
                connection.execute("DROP TABLE IF EXISTS bench_effect")
                connection.execute("CREATE TABLE bench_effect (event_id text, key text)")
            database = stage.server_seconds()
            command = [sys.executable, "-m", "benchmarks._consumer_worker", kind, f"{kind}-{number}", str(events)]
            done = subprocess.run(
                command, cwd=_stage.ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=600
            )
            line = next(line for line in done.stdout.splitlines() if line.startswith("figures "))
            figures[kind].append({**json.loads(line.split(" ", 1)[1]), "database": stage.server_seconds() - database})
            sys.stderr.write(f"{number + 1}. {kind}: {_rate(figures[kind][-1]):.0f} events/s\n")
    return figures


def report(figures: Figures, *, events: int) -> str:
    """Return the figures as a Markdown document."""
    rates = {kind: statistics.median(map(_rate, rounds)) for kind, rounds in figures.items()}
    ratio = rates["inbox"] / rates["bare"]
    lines = [_line(kind, rounds) for kind, rounds in figures.items()]
    return "\n".join(
        (
            "# A consumer with an inbox beside a bare consumer\n",
            "| consumer | events/s, median | least | most | CPU of the consumer per event | CPU of PostgreSQL per event |",
            "| --- | --- | --- | --- | --- | --- |",
            *lines,
            f"\nRatio of the medians: {ratio:.2f}. The target is at least {TARGET}.\n",
            f"{events} events of {KEYS} keys on six partitions, {len(figures['bare'])} rounds of each program in turn. Both do",
            "one INSERT for an event and commit batches of at most 50. The bare consumer does nothing else: it neither",
            "decodes the event nor reads its headers. The other one decodes it, writes its inbox row and calls a handler.\n",
            f"Taken {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores, {platform.system()} {platform.release()},",
            f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end. PostgreSQL and Kafka ran on the",
            "same machine. Made by `benchmarks/events_consumer.py`.\n",
        )
    )


def _line(kind: str, rounds: list[dict[str, float]]) -> str:
    rates = sorted(map(_rate, rounds))
    cpu = statistics.median(one["cpu"] / one["events"] for one in rounds)
    database = statistics.median(one["database"] / one["events"] for one in rounds)
    name = {"bare": "bare", "inbox": "with an inbox"}[kind]
    return (
        f"| {name} | {statistics.median(rates):.0f} | {rates[0]:.0f} | {rates[-1]:.0f} "
        f"| {cpu * 1e6:.0f} µs | {database * 1e6:.0f} µs |"
    )


def _rate(figures: dict[str, Any]) -> float:
    return float(figures["events"] / figures["seconds"])


def main() -> int:
    """Measure, print, and write the result. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="print the result without writing it")
    options = parser.parse_args()
    if options.events < 1 or options.rounds < 1:
        parser.error("--events and --rounds must be at least 1")
    with _stage.stage() as stage, broker(stage.folder / "broker") as servers:
        put_events(servers, options.events)
        text = report(measure(stage, servers, events=options.events, rounds=options.rounds), events=options.events)
    sys.stdout.write(text)
    if not options.dry:
        RESULT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
