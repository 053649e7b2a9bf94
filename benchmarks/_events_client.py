"""What `events_mail` does to a running platform: commits events, sends no-op tasks, and waits for mails."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import choice
from typing import Any, Final
from uuid import UUID, uuid4

import psutil
import psycopg
import redis
from celery import Celery
from google.protobuf.message import Message

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import bookings_pb2
from demo.api import Api
from demo.mailbox import Mailbox
from shared.cloudevents import to_json
from shared.events import event_type
from shared.ids import uuid7
from shared.rpc.mapping import ts
from shared.settings.celery import celery

NO_OP: Final = "celery.accumulate"  # Celery's own task that returns its arguments
QUEUE: Final = "mail"
QUEUES: Final = ("sms", "documents", QUEUE)  # of notifications.worker
_INSERT: Final = """INSERT INTO outbox_outboxevent (event_id, type, topic, key, sequence, value, traceparent, request_id, occurred_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp())"""
_REFERENCE: Final = re.compile(rb"\b[A-Z]{12}\b")
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no digits: a Message-ID may have twelve in a row


@dataclass
class Client:
    """A client of one platform's databases, broker and Maildir. Its mails go to one new traveller."""

    bookings: psycopg.Connection[tuple[Any, ...]]
    broker: Celery
    queues: "redis.Redis"
    maildir: Path
    person_id: UUID
    seen: dict[str, float] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def of_platform(cls) -> Iterator["Client"]:
        """Register a traveller, and yield the client. The environment is the one of `manage_all.py bench`."""
        broker = Celery("events_mail")
        broker.conf.update(celery("notifications"), task_default_queue=QUEUE)
        maildir = Path(os.environ["MAIL_DIR"])
        with psycopg.connect(os.environ["BOOKINGS_DATABASE_URL"], autocommit=True) as bookings:
            queues = redis.Redis.from_url(os.environ["REDIS_URL"])
            client = cls(bookings, broker, queues, maildir, _traveller(maildir))
            client.known = {path.name for path in (maildir / "new").iterdir()}
            yield client

    def commit_all(self, count: int, *, kind: str) -> list[str]:
        """Commit `count` events in one transaction. Return the references of their bookings."""
        events = [_event(self.person_id, kind) for _ in range(count)]
        with self.bookings.transaction(), self.bookings.cursor() as cursor:
            cursor.executemany(_INSERT, [_row(message) for _, message in events])
        self.bookings.execute("SELECT pg_notify('outbox', '')")
        return [reference for reference, _ in events]

    def commit_at_rate(self, rate: int, *, seconds: int) -> dict[str, float]:
        """Commit confirmations evenly, each in its own transaction. Return the time of each commit by reference."""
        commits: dict[str, float] = {}
        begun = time.monotonic()
        for n in range(rate * seconds):
            reference, message = _event(self.person_id, "confirmed")
            row = _row(message)
            time.sleep(max(0.0, begun + n / rate - time.monotonic()))
            with self.bookings.transaction():
                self.bookings.execute(_INSERT, row)
            commits[reference] = time.time()
            self.bookings.execute("SELECT pg_notify('outbox', '')")
        return commits

    def wait_for_mails(self, references: Sequence[str], *, seconds: float = 300) -> dict[str, float]:
        """Wait until each reference has a mail. Return the times of arrival. Raises SystemExit after `seconds`."""
        until = time.monotonic() + seconds
        missing = set(references)
        while missing:
            self._look()
            missing -= self.seen.keys()
            if missing and time.monotonic() > until:
                raise SystemExit(f"events_mail: {len(missing)} of {len(references)} mails did not arrive")
            time.sleep(0.1)
        return {reference: self.seen[reference] for reference in references}

    def run_no_ops(self, count: int) -> float:
        """Send `count` no-op tasks, wait until the worker has done them, and return the seconds."""
        begun = time.monotonic()
        with self.broker.producer_pool.acquire(block=True) as producer:
            for _ in range(count):
                self.broker.send_task(NO_OP, args=[0], kwargs={"index": 0}, queue=QUEUE, producer=producer)
            self.wait_until_idle()
        return time.monotonic() - begun

    def wait_until_idle(self) -> None:
        """Wait until the worker has nothing to do: the SMS's tasks of one measurement must not run in the next one."""
        prefix = self.broker.conf.broker_transport_options["global_keyprefix"]
        while sum(self.queues.llen(f"{prefix}{queue}") for queue in QUEUES) + self.queues.hlen(f"{prefix}unacked"):
            time.sleep(0.005)

    def _look(self) -> None:
        with os.scandir(self.maildir / "new") as files:
            for file in files:
                if file.name in self.known:
                    continue
                self.known.add(file.name)
                with open(file.path, "rb") as mail:
                    found = _REFERENCE.search(mail.read(4_000))
                if found:
                    self.seen.setdefault(found[0].decode(), file.stat().st_ctime)


def cpu_of(name: str) -> float:
    """Return the CPU seconds that the platform's process `name` has used. Its heartbeat file has the process's id."""
    heartbeat = Path(os.environ["TRAVEL_VAR"]) / "run" / f"{name}.heartbeat"
    times = psutil.Process(int(heartbeat.read_text().split()[1])).cpu_times()
    return float(times.user + times.system)


def _traveller(maildir: Path) -> UUID:
    """Register and verify a traveller. Return the person's id."""
    from benchmarks.confirmation_to_mail import signed_in

    with Api(os.environ["GATEWAY_URL"], notice=lambda _: None) as api:
        email = signed_in(api, Mailbox(maildir))
    with psycopg.connect(os.environ["USERS_DATABASE_URL"], autocommit=True) as users:
        row = users.execute("SELECT id FROM accounts_user WHERE email = %s", [email]).fetchone()
    if row is None:
        raise SystemExit("events_mail: the traveller was not registered")
    return UUID(str(row[0]))


def _event(person_id: UUID, kind: str) -> tuple[str, Message]:
    """Return a new booking's reference and the event about it: `confirmed` or `renamed`."""
    reference = "".join(choice(_LETTERS) for _ in range(12))
    starts_at = datetime.now(UTC) + timedelta(days=90)
    price = common_pb2.Money(minor_units=100_000, currency_code="EUR")
    line = bookings_pb2.BookingLine(
        label=common_pb2.LocalizedText(en="Adult", fr="Adulte"), quantity=1, unit_price=price, total=price
    )
    booking = bookings_pb2.BookingSnapshot(
        booking_id=str(uuid7()),
        reference=reference,
        traveller_id=str(person_id),
        departure_id=str(uuid7()),
        state=bookings_pb2.BOOKING_STATE_CONFIRMED,
        reason="PAID",
        title=common_pb2.LocalizedText(en="Lisbon by tram and tile", fr="Lisbonne, trams et azulejos"),
        starts_at=ts(starts_at),
        ends_at=ts(starts_at + timedelta(days=4)),
        time_zone="Europe/Lisbon",
        seats=1,
        lines=[line],
        total=price,
        paid=price,
        sequence=1,
    )
    cls = bookings_pb2.BookingConfirmed if kind == "confirmed" else bookings_pb2.BookingPassengerRenamed
    return reference, cls(booking=booking)


def _row(message: Any) -> list[object]:
    kind = event_type(message)
    traceparent = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
    key = message.booking.booking_id
    return [uuid7(), kind.type, kind.topic, key, 1, to_json(message), traceparent, f"bench-{uuid4().hex[:12]}"]
