"""Kafka is stopped or hangs while travellers book. Bookings do not notice; events are late, and none is lost."""

import time

import pytest

from shared.testing import eventually
from shared.testing.scale import scaled
from tests.outages import effects
from tests.outages.load import Load
from tests.outages.processes import KAFKA, PATIENCE, hung, is_ready, kill, stopped

SECONDS = scaled(reduced=(10,), whole=(10, 60, 600))
RETURN_SECONDS = 60  # every event is out by then, counted from the broker's return
OUTAGES = {"stopped": stopped, "hung": hung}


@pytest.mark.parametrize("seconds", SECONDS)
@pytest.mark.parametrize("how", OUTAGES)
def test_bookings_go_on_without_the_broker_and_every_event_follows(travellers, departures, how, seconds):
    """At least 99.9 % of the bookings succeed. Within a minute of the broker's return every event is on its topic, in
    the order of its key, and has had its effect once. In the middle of the outage the relay is killed.

    Seen failing (events missing on their topic) with a relay that marks events before their delivery reports.
    """
    eventually(lambda: is_ready(KAFKA), timeout=PATIENCE)
    load = Load(travellers, departures, pause=max(0.5, seconds / 300))  # the catalogue has 10,000 seats
    with load.running() as tally:
        eventually(lambda: len(tally.confirmed) >= 3, timeout=60)
        with OUTAGES[how](KAFKA):
            before, until = len(tally.confirmed), time.monotonic() + seconds
            eventually(lambda: time.monotonic() >= until - seconds / 2, timeout=seconds)
            kill("bookings.relay")  # what it had handed to its client is lost with it
            eventually(lambda: time.monotonic() >= until, timeout=seconds)
            during = len(tally.confirmed) - before
        eventually(lambda: is_ready(KAFKA), timeout=PATIENCE)
        back = time.monotonic()

    eventually(lambda: effects.unsent() == 0, timeout=back + RETURN_SECONDS - time.monotonic())
    eventually(lambda: effects.unfinished(tally.confirmed) == {}, timeout=120, every=0.5)
    assert during > 0
    assert tally.share >= 0.999, tally.refused[:5]
    assert effects.problems(tally.confirmed) == {}
