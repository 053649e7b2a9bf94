"""The proof that bad records harm only their own keys: 1 % poison among good events, on several partitions."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed
from notifications_service.tests.events.poison import BOOKING, HANDLER_FAILS, KINDS, Poison, good
from shared.errors import Conflict
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox.consumer import EventConsumer
from shared.inbox.models import BrakedType, DeadLetter, InboxMessage
from shared.kafka import producer
from shared.testing import eventually
from shared.testing.kafka import consume_until
from shared.testing.scale import scaled, show
from shared.testing.threads import in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics", "valkey")]

EVENTS = scaled(reduced=1_000, whole=10_000)
POISON = scaled(reduced=len(KINDS), whole=EVENTS // 100)
KEYS = EVENTS // 10
EVENTS_PER_SECOND = 100
LONGEST_WAIT = 5.0


class Refuses(Conflict):
    """The handler refuses the event."""

    code = "TEST_REFUSES"


class Effects:
    """The handler of the proof. It notes when the effect of each event was committed."""

    def __init__(self, *, refused: set[str]) -> None:
        self.refused = refused
        self.order: dict[str, list[int]] = defaultdict(list)
        self.at: dict[tuple[str, int], float] = {}
        self.calls: Counter[str] = Counter()

    def handle(self, event: BookingConfirmed, *, received: Any) -> None:
        """Refuse the event, or note it."""
        self.calls[received.key] += 1
        if received.key in self.refused:
            raise Refuses
        transaction.on_commit(lambda: self._note(received.key, received.sequence))

    def _note(self, key: str, sequence: int) -> None:
        self.order[key].append(sequence)
        self.at[key, sequence] = time.monotonic()


@contextmanager
def consuming(effects: Effects) -> Iterator[None]:
    """Run the service's consumer, with its real limits, in a thread."""
    stop = threading.Event()
    consumer = EventConsumer(name="notifications", handlers={BookingConfirmed: effects.handle}, stop=stop)
    with in_thread(consumer.run, stop=stop.set) as ended:
        yield
    assert ended == []


def schedule(poison: dict[str, Poison]) -> list[tuple[str, int]]:
    """Return the (key, sequence) of each record in the order in which they are put. A poisoned key has two records."""
    chance = random.Random(57)
    keys = [str(uuid7()) for _ in range(KEYS)]
    drawn = [chance.choice(keys) for _ in range(EVENTS - 2 * len(poison))] + [key for key in poison for _ in range(2)]
    chance.shuffle(drawn)
    sequences: Counter[str] = Counter()
    records = []
    for key in drawn:
        sequences[key] += 1
        records.append((key, sequences[key]))
    return records


def put_all(records: list[tuple[str, int]], poison: dict[str, Poison]) -> tuple[dict[tuple[str, int], float], Any]:
    """Put the records at an even rate. Return when each was put, and the partition of each good one."""
    put_at: dict[tuple[str, int], float] = {}
    partitions: dict[str, int] = {}
    client, began = producer("poison", **{"linger.ms": 0}), time.monotonic()
    for number, (key, sequence) in enumerate(records):
        while (early := began + number / EVENTS_PER_SECOND - time.monotonic()) > 0:
            client.poll(early)
        put_at[key, sequence] = time.monotonic()
        if sequence == 1 and key in poison:
            poison[key].put(client, key=key)
        else:
            event = good(key=key, sequence=sequence)
            client.produce(
                topic_name(BOOKING), key=key.encode(), value=event.value, headers=event.headers(),
                on_delivery=lambda _, message, key=key: partitions.setdefault(key, message.partition()),
            )  # fmt: skip
        client.poll(0)
    assert client.flush(30) == 0
    return put_at, partitions


def test_poison_harms_only_its_own_keys(capsys):
    """Every poisoned record is a dead letter, its key waits, and every other event takes effect once and in order.

    The try of a whole batch counts no attempt. Seen failing (the consumer ended) when `Record.of` passed on what an
    unreadable header name raises.
    """
    poison = {str(uuid7()): KINDS[number % len(KINDS)] for number in range(POISON)}
    refused = {key for key, kind in poison.items() if kind is HANDLER_FAILS}
    records = schedule(poison)
    expected: dict[str, list[int]] = defaultdict(list)
    for key, sequence in records:
        if key not in poison:
            expected[key].append(sequence)
    clean = [record for record in records if record[0] not in poison]
    effects = Effects(refused=refused)

    with consuming(effects):
        first = good(key=str(uuid7()), sequence=1)
        client = producer("poison-first")
        client.produce(topic_name(BOOKING), key=first.key, value=first.value, headers=first.headers())
        client.flush(10)
        eventually(lambda: effects.at.get((first.key, 1)), timeout=30)
        put_at, partitions = put_all(records, poison)
        eventually(lambda: all(record in effects.at for record in clean), timeout=60)
        eventually(lambda: DeadLetter.objects.filter(status="PARKED").count() == len(poison), timeout=60)

    letters = {letter.key: letter for letter in DeadLetter.objects.filter(status="DEAD")}
    assert letters.keys() == poison.keys()
    for key, kind in poison.items():
        fault = "HANDLER" if kind is HANDLER_FAILS else "MESSAGE"
        assert (letters[key].fault, letters[key].attempts) == (fault, kind.attempts), kind.name
        assert effects.calls[key] == 0 or kind is HANDLER_FAILS, kind.name
    copies = consume_until(f"{BOOKING}.notifications.dlq", lambda found: poison.keys() <= _keys(found), timeout=60)
    assert Counter(copy.key().decode() for copy in copies if copy.key().decode() in poison) == dict.fromkeys(poison, 1)
    assert {key: effects.order[key] for key in expected} == expected
    assert InboxMessage.objects.count() == len(clean) + 1
    assert not BrakedType.objects.exists()

    waits: dict[int, float] = defaultdict(float)
    for key, sequence in clean:
        waited = effects.at[key, sequence] - put_at[key, sequence]
        waits[partitions[key]] = max(waits[partitions[key]], waited)
    longest = ", ".join(f"{partition}: {wait:.2f} s" for partition, wait in sorted(waits.items()))
    show(capsys, f"{len(records):,} events, {len(poison)} of them poison; longest wait in each partition: {longest}")
    assert max(waits.values()) <= LONGEST_WAIT


def _keys(copies: list[Any]) -> set[str]:
    return {copy.key().decode() for copy in copies}
