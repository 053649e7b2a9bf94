"""Whatever fails between an event's transaction and its mail: each effect happens once, and in the order of its key.

Relay, consumer and workers are the real ones on a real database. The broker and the providers are simulated, because
only then every order of their answers can be tried. The proofs on real brokers are in
notifications_service/tests/events and tests/outages.
"""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test

from notifications_service.tests.events.anything import worker
from notifications_service.tests.events.anything.bugs import BUGS
from notifications_service.tests.events.anything.machine import AnyFailure
from shared.testing.scale import WHOLE, scaled

pytestmark = pytest.mark.django_db(transaction=True)

RUNS, STEPS = scaled(reduced=12, whole=300), scaled(reduced=40, whole=80)
RESTARTS = 10
SEARCH = 400  # the most runs until a planted bug is found
PLANTED = list(BUGS) if WHOLE else ["events marked before their reports", "no inbox"]


def run(*, runs: int, phases: tuple[Phase, ...] = (Phase.generate,)) -> None:
    """Run the machine that often.

    Threads and the clock make a few runs differ from an earlier one with the same beginning. hypothesis then gives up,
    which says nothing about the code, so the search begins anew.
    """
    for _ in range(RESTARTS):
        with suppress(FlakyStrategyDefinition):
            return _run(runs, phases)
    raise RuntimeError(f"hypothesis gave up {RESTARTS} times")


def _run(runs: int, phases: tuple[Phase, ...]) -> None:
    run_state_machine_as_test(
        AnyFailure,
        settings=settings(
            max_examples=runs, stateful_step_count=STEPS, deadline=None, database=None, derandomize=not WHOLE,
            suppress_health_check=list(HealthCheck), phases=phases, print_blob=False,
        ),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let workers call simulated providers."""
    worker.install(monkeypatch)
    yield


def test_each_effect_happens_once_and_in_order_whatever_fails() -> None:
    """Crashes, freezes, duplicates, refusals, late and lost answers, at every step and in any order."""
    run(runs=RUNS)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is worth nothing if it does not find a guard that is missing.

    A check finds most of them. A constraint of the database refuses what some of them do.
    """
    BUGS[name](monkeypatch)

    with pytest.raises((AssertionError, IntegrityError, ExceptionGroup)):
        run(runs=SEARCH)
