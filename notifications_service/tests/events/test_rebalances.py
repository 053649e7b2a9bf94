"""Proof: whatever joins, leaves or is killed, every event takes effect once, in the order of its key."""

import random
import time
from typing import Final
from uuid import UUID

import pytest
from confluent_kafka import Producer

from notifications_service.tests.events.rebalancing import POISON, effects, group, is_poisoned
from notifications_service.tests.factories import confirmed, envelope
from shared.cloudevents import Envelope
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox.models import DeadLetter
from shared.kafka.clients import producer
from shared.testing import eventually
from shared.testing.scale import WHOLE, scaled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics", "valkey")]

KEYS: Final = scaled(reduced=60, whole=500)
EACH: Final = scaled(reduced=10, whole=20)
POISONED: Final = 4  # fewer than the brake of a type wants
STEPS: Final = scaled(reduced=10, whole=40)
PERIOD: Final = 2.0 if WHOLE else 0.4
BOOKING: Final = "travel.bookings.booking"


def key_of(number: int) -> str:
    """Return the booking number `number`. The first ones are poisoned."""
    digits = uuid7().hex
    return str(UUID(digits[:28] + ("dead" if number < POISONED else "beef")))


def stream(key: str, chance: random.Random) -> list[Envelope]:
    """Return the events of a key in order, and two repeats of each somewhere behind it."""
    events = [envelope(confirmed(uuid7(), booking_id=key), key=key, sequence=n) for n in range(1, EACH + 1)]
    places = [(float(event.sequence), event) for event in events]
    places += [(event.sequence + chance.uniform(0.1, EACH / 2), event) for event in events for _ in range(2)]
    return [event for _, event in sorted(places, key=lambda place: place[0])]


def interleaved(streams: list[list[Envelope]], chance: random.Random) -> list[Envelope]:
    """Return all events, mixed at random, each stream in its order."""
    turns = [number for number, events in enumerate(streams) for _ in events]
    chance.shuffle(turns)
    sources = [iter(events) for events in streams]
    return [next(sources[number]) for number in turns]


def put(target: Producer, events: list[Envelope]) -> None:
    for event in events:
        target.produce(topic_name(BOOKING), key=event.key.encode(), value=event.value, headers=event.headers())
    assert target.flush(30) == 0


def test_effects_are_once_and_in_order_while_consumers_come_and_go():
    """Seen failing without the order of a key: each record in a lane of its own, so a key had [2, 4, 1, 5, 3, 8]. And
    with offsets stored before the work: events had no effect within 60 s.

    Generations have tests of their own in test_consumer_lanes.py: here the inbox and the order of a lane hide what old
    records would do again.
    """
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    keys = [key_of(number) for number in range(KEYS)]
    events = interleaved([stream(key, chance) for key in keys], chance)
    size = -(-len(events) // STEPS)
    target = producer("rebalances")

    with group() as consumers:
        consumers.join_as_process()
        for step in range(STEPS):
            begun = time.monotonic()
            put(target, events[step * size : (step + 1) * size])
            consumers.churn(chance)
            eventually(lambda begun=begun: time.monotonic() - begun > PERIOD, timeout=PERIOD + 5)
        healthy = [key for key in keys if not is_poisoned(key)]
        wanted = len(healthy) * EACH + POISONED * (POISON - 1)
        eventually(lambda: sum(map(len, effects().values())) >= wanted, timeout=60)
        eventually(lambda: DeadLetter.objects.filter(status="DEAD").count() >= POISONED, timeout=30)
        found = effects()
        assert consumers.failures == [], f"seed {seed}"
        assert consumers.rebalances >= STEPS

    whole, part = list(range(1, EACH + 1)), list(range(1, POISON))
    wrong = {key: found.get(key) for key in keys if found.get(key) != (part if is_poisoned(key) else whole)}
    assert wrong == {}, f"seed {seed}"
    dead = DeadLetter.objects.filter(status="DEAD")
    assert {letter.key for letter in dead} == {key for key in keys if is_poisoned(key)}, f"seed {seed}"
    assert all(letter.attempts == 5 for letter in dead)
