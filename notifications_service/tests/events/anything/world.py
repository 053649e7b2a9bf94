"""One run of everything between an event's transaction and its mail, with what the model knows about it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, transaction
from django.db.models.functions import Now
from google.protobuf.message import Message

from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed, BookingPassengerRenamed
from notifications_service.notifications.models import Notification
from notifications_service.tests.events.anything.broker import Broker, Producer, Providers
from notifications_service.tests.events.anything.consumer import Group
from notifications_service.tests.events.anything.worker import Worker
from notifications_service.tests.factories import confirmed, renamed
from shared.db import own_database
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox import resolving as letters
from shared.inbox.models import DeadLetter
from shared.kafka import Received
from shared.kafka.handlers import Handlers, registered
from shared.outbox import publish
from shared.outbox import resolving as set_aside
from shared.outbox.delivery import Delivery
from shared.outbox.models import OutboxEvent

BOOKING = "travel.bookings.booking"
TABLES = (
    "notifications_deliveryattempt, notifications_notification, notifications_pausedchannel, billing_invoiceline,"
    " billing_invoicerecipient, billing_invoice, billing_numberseries, inbox_inboxmessage, inbox_deadletteraction,"
    " inbox_deadletter, inbox_brakedtype, outbox_outboxevent"
)


class Broken(Exception):
    """The handlers are broken for now."""


@dataclass(frozen=True, slots=True)
class Written:
    """A committed event."""

    event_id: str
    key: str
    sequence: int


@dataclass
class World:
    """The outbox and its relay, the broker, the consumer, the workers; and the events that were committed."""

    broker: Broker = field(default_factory=Broker)
    providers: Providers = field(default_factory=Providers)
    written: list[Written] = field(default_factory=list)
    rolled_back: set[str] = field(default_factory=set)
    frozen: list[Worker] = field(default_factory=list)
    strays: list[Any] = field(default_factory=list)  # what producers of dead relays may still send
    broken: bool = False
    now: float = 0.0

    def __post_init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} CASCADE")
        self.database = psycopg.connect(own_database(), autocommit=True)
        self.keys = [str(uuid7()) for _ in range(3)]
        self._sequences: Counter[str] = Counter()
        self.group = Group(self.broker, topic_name(BOOKING), self._handlers())
        self.start_relay()

    def close(self) -> None:
        """Let frozen workers end, and disconnect."""
        for worker in self.frozen:
            worker.thaw()
        self.frozen.clear()
        self.database.close()

    # ------------------------------------------------------------------ what happens

    def write(self, key: str, *, commits: bool, is_refused: bool = False) -> None:
        """Change a booking and publish its event in one transaction: first a confirmation, later new names."""
        sequence = self._sequences[key] + 1
        make = confirmed if sequence == 1 else renamed
        event: Message = make(uuid7(), booking_id=key, reference=key[-8:], sequence=sequence)
        with transaction.atomic():
            publish(event, aggregate_id=UUID(key), sequence=sequence, occurred_at=datetime.now(UTC))
            row = OutboxEvent.objects.get(key=key, sequence=sequence)
            transaction.set_rollback(not commits)
        if not commits:
            self.rolled_back.add(str(row.event_id))
            return
        self._sequences[key] = sequence
        self.written.append(Written(str(row.event_id), key, sequence))
        if is_refused:
            self.broker.refuses.add(str(row.event_id))

    def start_relay(self) -> None:
        """Let a new relay take over. What the former one's producer has may still be written, or not."""
        if hasattr(self, "producer"):
            self.strays += self.producer.waiting
        self.producer = Producer(self.broker)
        self.relay = Delivery(
            connection=self.database, producer=self.producer, source="bookings", clock=lambda: self.now, window=8
        )

    def stray(self, number: int) -> None:
        """Write what a dead relay's producer still had."""
        request = self.strays.pop(number % len(self.strays))
        if request.event_id not in self.broker.refuses:
            self.broker.append(request)

    def deliverable(self) -> list[UUID]:
        """Return the notifications that are not delivered, the oldest first."""
        rows = Notification.objects.filter(status__in=("PENDING", "SENDING")).order_by("id")
        return list(rows.values_list("id", flat=True))

    def work(self, notification_id: UUID, **how: str) -> None:
        """Let a worker deliver. It may freeze."""
        worker = Worker(notification_id, self.providers, **how)
        if worker.start():
            self.frozen.append(worker)

    def pass_time(self) -> None:
        """Let every pause and every lease end."""
        self.now += 60
        past = Now() - timedelta(seconds=1)
        Notification.objects.filter(status="PENDING").update(next_attempt_at=past)
        Notification.objects.filter(status="SENDING").update(leased_until=past)

    # ------------------------------------------------------------------ until everything rests

    def mend(self) -> None:
        """Mend every fault, let staff retry what waits for them, and go on until nothing is left to do.

        Frozen workers go on only after others have done their work.
        """
        self.broken = False
        self.broker.refuses.clear()
        self.pass_time()
        for notification_id in self.deliverable():
            self.work(notification_id)
        for worker in self.frozen:
            worker.thaw()
        self.frozen.clear()
        for _ in range(40):
            self.pass_time()
            self._relay_everything()
            self.group.poll()
            self.group.work(100)
            self.group.commit()
            self._staff_retry()
            for notification_id in self.deliverable():
                self.work(notification_id)
            if not self._left():
                return
        raise AssertionError(f"still under way: {self._left()}")

    def _relay_everything(self) -> None:
        for _ in range(60):
            self.now += 60
            self.relay.step()
            while self.producer.waiting:
                self.producer.answer(0, "written")

    def _staff_retry(self) -> None:
        for row_id in OutboxEvent.objects.filter(delivered_at=None).exclude(set_aside_at=None).values_list("id"):
            set_aside.retry(row_id[0])
        for letter in DeadLetter.objects.filter(status="DEAD").order_by("id"):
            letters.retry(dead_letter_id=letter.id, by="staff")
        self.group.retry_letters()

    def _left(self) -> dict[str, int]:
        left = {
            "events not sent": OutboxEvent.objects.filter(delivered_at=None).count(),
            "letters": DeadLetter.objects.filter(status__in=DeadLetter.OPEN).count(),
            "notifications": len(self.deliverable()),
            "records": self.group.poll(),
        }
        return {name: count for name, count in left.items() if count}

    def _handlers(self) -> Handlers:
        def unless_broken(handler: Callable[..., None]) -> Callable[..., None]:
            def handle(event: Message, *, received: Received) -> None:
                if self.broken:
                    raise Broken
                handler(event, received=received)

            return handle

        return {message: unless_broken(registered[message]) for message in (BookingConfirmed, BookingPassengerRenamed)}

    def by_key(self) -> dict[str, list[str]]:
        """Return the ids of the committed events of each key, in their order."""
        found: dict[str, list[str]] = defaultdict(list)
        for event in self.written:
            found[event.key].append(event.event_id)
        return found


@contextmanager
def world() -> Iterator[World]:
    """Make a world on empty tables. At the end, let its threads end."""
    made = World()
    try:
        yield made
    finally:
        made.close()
