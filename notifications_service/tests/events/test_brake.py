"""A type whose handler fails for too many keys waits, everything else flows, and it resumes by itself."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from contracts.travel.events.v1.bookings_pb2 import PaymentFailed
from notifications_service.tests.events.records import (
    CONFIRMED,
    Handler,
    confirmation,
    record,
    retry_all,
    statuses,
    work,
)
from notifications_service.tests.factories import envelope
from shared.inbox import resolving
from shared.inbox.brake import BrakeLimits, KeyOutcomes
from shared.inbox.models import BrakedType, DeadLetter

pytestmark = pytest.mark.django_db(transaction=True)

LATER = BrakeLimits(pauses=(60.0,))


def broken_type(limits: BrakeLimits | None = None) -> tuple[Handler, list[str]]:
    """Return a handler that failed for five keys, so that its type is braked, and the keys."""
    handler, keys = Handler(), [f"dead-{number}" for number in range(5)]
    handler.broken = True
    effects = handler.effects(limits or LATER)
    work(effects, *map(confirmation, keys))
    assert BrakedType.objects.get().event_type == CONFIRMED
    return handler, keys


def test_a_type_that_fails_for_too_many_keys_waits_and_everything_else_flows():
    """Seen failing (DEAD instead of BRAKED) without note_failure in give_up, and without the check in _set_aside."""
    handler, dead = broken_type()
    effects = handler.effects(LATER)

    work(effects, confirmation("a"), confirmation("a", sequence=2), confirmation("b"))
    work(effects, record(envelope(PaymentFailed(), key="c")), record(envelope(PaymentFailed(), key="a")))

    assert [statuses(key) for key in dead] == [["DEAD"]] * 5
    assert statuses("a") == ["BRAKED", "PARKED", "PARKED"]
    assert statuses("b") == ["BRAKED"]
    assert (handler.payments, handler.done) == (1, {})
    assert BrakedType.objects.get().cause.startswith("Refuses")


def test_a_batch_keeps_what_is_braked():
    """Seen failing (the batch took effect, or failed as a whole) without the check in _take_all."""
    handler, _ = broken_type()
    handler.broken = False
    effects = handler.effects(LATER)
    batch = [record(envelope(PaymentFailed(), key="c")), confirmation("a")]

    assert not effects.apply_all(batch)
    work(effects, *batch)

    assert (handler.payments, handler.done, statuses("a")) == (1, {}, ["BRAKED"])


def test_few_failures_among_many_keys_brake_nothing():
    """Seen failing (braked) without the share."""
    handler = Handler()
    handler.refused = {f"bad-{number}" for number in range(9)}
    effects = handler.effects()

    assert effects.apply_all([confirmation(f"good-{number}") for number in range(20)])
    work(effects, *map(confirmation, sorted(handler.refused)))

    assert not BrakedType.objects.exists()
    assert DeadLetter.objects.filter(status="DEAD").count() == 9


def test_few_keys_brake_nothing():
    """One key that fails again and again is one key. Seen failing (braked) without the number of keys."""
    handler = Handler()
    handler.broken = True
    effects = handler.effects()

    for number in range(4):
        work(effects, confirmation(f"dead-{number}"))
        DeadLetter.objects.update(status="DISCARDED")
        work(effects, confirmation(f"dead-{number}", sequence=2))

    assert not BrakedType.objects.exists()


def test_bad_messages_brake_nothing():
    """Seen failing (braked) with note_failure for every fault."""
    effects = Handler().effects()

    for number in range(20):
        effects.give_up(confirmation(f"bad-{number}"), fault=DeadLetter.Fault.MESSAGE, cause="bad", attempts=1)

    assert not BrakedType.objects.exists()


def test_it_resumes_by_itself_in_order():
    """Seen failing (still braked) without the probes in keys_to_retry."""
    handler, dead = broken_type(BrakeLimits(pauses=(0.0,)))
    effects = handler.effects(BrakeLimits(pauses=(0.0,)))
    work(effects, *(confirmation(key, sequence=number) for number in (1, 2, 3) for key in ("a", "b", "c")))
    retry_all(effects)
    assert (BrakedType.objects.get().probes, handler.done) == (1, {})

    handler.broken = False
    retry_all(effects)

    assert not BrakedType.objects.exists()
    assert handler.done == {key: [1, 2, 3] for key in ("a", "b", "c")}
    assert statuses("a") == ["RETRIED"] * 3
    assert [statuses(key) for key in dead] == [["DEAD"]] * 5
    work(effects, confirmation("a", sequence=4))
    assert handler.done["a"] == [1, 2, 3, 4]


def test_the_pauses_between_probes_grow():
    """Seen failing (a probe at once) without next_probe_at in types_to_probe and lock_for_probe."""
    handler, _ = broken_type(BrakeLimits(pauses=(10.0, 100.0)))
    effects = handler.effects(BrakeLimits(pauses=(10.0, 100.0)))
    work(effects, confirmation("a"))

    retry_all(effects)
    assert BrakedType.objects.get().probes == 0
    BrakedType.objects.update(next_probe_at=Now())
    retry_all(effects)

    brake = BrakedType.objects.get()
    assert brake.probes == 1
    assert timedelta(seconds=45) < brake.next_probe_at - brake.since < timedelta(seconds=115)
    assert statuses("a") == ["BRAKED"]


def test_one_event_that_always_fails_does_not_keep_the_brake():
    """Seen failing (still braked) when each probe took the oldest letter."""
    handler, _ = broken_type()
    effects = handler.effects(BrakeLimits(pauses=(0.0,)))
    work(effects, confirmation("poison"), confirmation("good"))
    BrakedType.objects.update(next_probe_at=Now())
    handler.broken, handler.refused = False, {"poison"}

    for _ in range(8):
        retry_all(effects)

    assert not BrakedType.objects.exists()
    assert handler.done == {"good": [1]}
    assert statuses("poison") == ["DEAD"]
    assert DeadLetter.objects.get(key="poison").attempts == 5


def test_a_burst_of_events_that_always_fail_does_not_keep_the_brake():
    """Seen failing (still braked after 50 probes) when only the twenty oldest keys were probed."""
    handler, _ = broken_type()
    effects = handler.effects(BrakeLimits(pauses=(0.0,)))
    burst = [f"poison-{number}" for number in range(25)]
    work(effects, *map(confirmation, burst), confirmation("good"))
    BrakedType.objects.update(next_probe_at=Now())
    handler.broken, handler.refused = False, set(burst)

    for _ in range(8):
        retry_all(effects)

    assert handler.done == {"good": [1]}


def test_all_processes_of_a_consumer_share_the_brake():
    handler, _ = broken_type()
    first, second = handler.effects(LATER), handler.effects(LATER)
    work(second, confirmation("a"))
    assert statuses("a") == ["BRAKED"]
    handler.broken = False
    BrakedType.objects.update(next_probe_at=Now())

    retry_all(first)
    work(second, confirmation("a", sequence=2))

    assert handler.done == {"a": [1, 2]}


def test_a_successful_retry_by_staff_releases_the_brake():
    """Seen failing (still braked) without release in retry_oldest."""
    handler, dead = broken_type()
    effects = handler.effects(LATER)
    work(effects, confirmation("a"))
    handler.broken = False

    resolving.retry(dead_letter_id=DeadLetter.objects.get(key=dead[0]).id, by="staff")
    retry_all(effects)
    retry_all(effects)

    assert not BrakedType.objects.exists()
    assert handler.done == {dead[0]: [1], "a": [1]}


def test_a_parked_event_of_a_braked_type_waits_too():
    """Seen failing (five attempts, then DEAD) without the check in retry_oldest."""
    handler, dead = broken_type()
    effects = handler.effects(LATER)
    work(effects, confirmation(dead[0], sequence=2))
    assert statuses(dead[0]) == ["DEAD", "PARKED"]

    resolving.discard(dead_letter_id=DeadLetter.objects.get(key=dead[0], status="DEAD").id, by="staff", reason="test")
    for _ in range(6):
        retry_all(effects)

    assert statuses(dead[0]) == ["DISCARDED", "BRAKED"]


def test_what_fails_again_after_the_brake_brakes_again():
    """Each letter gets five attempts, and the type is braked before all of them are dead."""
    handler, _ = broken_type()
    effects = handler.effects(BrakeLimits(pauses=(0.0,)))
    keys = [f"later-{number}" for number in range(30)]
    work(effects, *map(confirmation, keys))
    BrakedType.objects.update(next_probe_at=Now())
    handler.broken, handler.refused = False, set(keys[1:])

    for _ in range(10):
        retry_all(effects)

    assert BrakedType.objects.exists()
    assert handler.done == {keys[0]: [1]}
    assert DeadLetter.objects.filter(key__in=keys, status="DEAD", attempts=5).count() == 5
    assert DeadLetter.objects.filter(key__in=keys, status="BRAKED").count() == 24


def test_a_keys_last_outcome_counts_within_the_window():
    """Seen failing (2 failed, 3 seen) without forgetting the former outcome and what is older than the window."""
    outcomes = KeyOutcomes(window=10.0)

    for key, failed, now in [("a", True, 0.0), ("b", True, 5.0), ("b", False, 6.0), ("c", True, 11.0)]:
        outcomes.note(key, failed=failed, now=now)

    assert (outcomes.failed, outcomes.seen) == (1, 2)
