"""What waits in each service: events to send and to read, dead letters, mails. Asked of the databases and of Kafka."""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

import psycopg

from launcher.environment import service_environment
from launcher.platform import Platform
from launcher.processes import WITH_DATABASE
from launcher.report import is_external
from launcher.vault import Vault
from shared import backlog

KAFKA_SECONDS: Final = 10.0
STATEMENT_SECONDS: Final = 5
NOTHING: Final = "–"


@dataclass(frozen=True, slots=True)
class State:
    """What waits in a service.

    `backlog` is None if its database did not answer. `to_read` is the number of records that its consumer has yet to
    take: None if it has no consumer, or if Kafka did not answer.
    """

    backlog: backlog.Backlog | None
    to_read: int | None

    def as_json(self) -> dict[str, Any]:
        """Return what `status --json` prints about it."""
        return {**(asdict(self.backlog) if self.backlog else {"backlog": None}), "to_read": self.to_read}

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table of `status`."""
        outbox, inbox, messages = (
            (self.backlog.outbox, self.backlog.inbox, self.backlog.messages) if self.backlog else (None, None, None)
        )
        letters = (
            (inbox.dead, inbox.parked, inbox.braked, sum(skipped.count for skipped in inbox.skipped_types))
            if inbox
            else (None,) * 4
        )
        return (
            _late(outbox.waiting, outbox.oldest_seconds) if outbox else "?",
            _number(outbox.set_aside) if outbox else "?",
            _number(self.to_read),
            *map(_number, letters),
            *(_unsent(messages, channel) for channel in ("EMAIL", "SMS")),
        )


States = Mapping[str, State]


def read(platform: Platform) -> States:
    """Ask the database of every service, and Kafka, at the same time."""
    external = is_external(platform)
    urls = database_urls(platform, external=external)
    environment = service_environment("users", platform, Vault(platform), external=external)
    with ThreadPoolExecutor(len(urls) + 1) as pool:
        lags = pool.submit(lag_of_consumers, environment)
        backlogs = dict(zip(urls, pool.map(backlog_of, urls.values()), strict=True))
        to_read = lags.result()
    return {service: State(backlog=found, to_read=to_read.get(service)) for service, found in backlogs.items()}


def database_urls(platform: Platform, *, external: bool) -> dict[str, str]:
    """Return the URL of the database of each service that has one."""
    vault = Vault(platform)
    return {
        service: service_environment(service, platform, vault, external=external)[f"{service.upper()}_DATABASE_URL"]
        for service in WITH_DATABASE
    }


def backlog_of(url: str) -> backlog.Backlog | None:
    """Return what waits in a database, or None if it does not answer or is not migrated."""
    options = f"-c statement_timeout={STATEMENT_SECONDS}s -c default_transaction_read_only=on"
    try:
        with psycopg.connect(url, connect_timeout=3, options=options) as connection:
            return backlog.read(lambda sql: connection.execute(sql.encode()).fetchall())
    except psycopg.Error:
        return None


def lag_of_consumers(environment: Mapping[str, str]) -> Mapping[str, int]:
    """Return how many records each consumer has yet to take. It is empty if Kafka does not answer.

    A process with the environment of a service asks, so that it connects to Kafka as the services do.
    """
    command = [sys.executable, "-P", "-m", "shared.kafka.state"]
    try:
        done = subprocess.run(
            command, env=dict(environment), capture_output=True, text=True, timeout=KAFKA_SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return {}
    lags: dict[str, int] = json.loads(done.stdout)["lag"]
    return lags


def _number(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count:,}" if count else NOTHING


def _late(count: int, seconds: float) -> str:
    return f"{count:,}, {seconds:.0f} s" if count else NOTHING


def _unsent(messages: backlog.Messages | None, channel: str) -> str:
    if messages is None:
        return ""
    unsent = messages.unsent.get(channel, backlog.Unsent(0, 0.0))
    paused = "paused, " if any(stopped.name == channel for stopped in messages.paused) else ""
    return paused + _late(unsent.count, unsent.oldest_seconds)
