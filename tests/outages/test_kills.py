"""kill -9 at random moments of everything between a booking's commit and its mail, while travellers book."""

import random

from shared.testing import eventually
from shared.testing.scale import scaled
from tests.outages import effects
from tests.outages.load import Load
from tests.outages.processes import KAFKA, VALKEY, is_ready, kill

SEED = 20_261_201
BOOKINGS = scaled(reduced=200, whole=2_000)
KILLS = scaled(reduced=3, whole=20)  # of each
VICTIMS = (
    *("bookings.relay", "notifications.consumer", "notifications.worker", "notifications.urgent", "notifications.beat"),
    *(VALKEY, KAFKA),
)


def test_every_effect_happens_once_whatever_is_killed(travellers, departures):
    """Each booking has one confirmation (one Message-ID) and one invoice, the invoices' numbers have no gap, and at
    most one SMS was given to the provider. Valkey loses its data each time.
    """
    generator, victims = random.Random(SEED), list(VICTIMS) * KILLS
    generator.shuffle(victims)
    load = Load(travellers, departures, pause=0.0, limit=BOOKINGS)

    with load.running() as tally:
        for number, name in enumerate(victims, start=1):
            due = BOOKINGS * number // (len(victims) + 1)
            eventually(lambda due=due: len(tally.confirmed) + len(tally.refused) >= due, timeout=300)
            kill(name)

    for name in VICTIMS:
        eventually(lambda name=name: is_ready(name), timeout=90, every=0.5)
    eventually(lambda: effects.unfinished(tally.confirmed) == {}, timeout=180, every=0.5)
    assert tally.refused == []
    assert len(tally.confirmed) == BOOKINGS
    assert effects.problems(tally.confirmed) == {}
