"""kill -9 at the worst moments: within 60 s nothing is stuck, the ledger balances, each traveller was charged once.

Three travellers act at once. Each asks again with the same keys, as a client does. Every run has the REDUCED deaths;
PROOFS=whole has all of them.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.failpoints import FAILPOINTS
from shared.testing import eventually
from tests.faults import checks
from tests.faults.travellers import PATIENCE, Client, Rest, Rpc, Traveller
from tests.faults.world import CLOCK, IS_WHOLE, RELAY, RPC, SANDBOX, WEB, World, has_died, is_marked

TRAVELLERS = 3
TOTAL = 2 * 50_000  # two adults, tax included
PAID = ["booking.created", "booking.confirmed", "payment.succeeded"]
NOT_CHARGED = {"payment.failed"}  # while the provider is down: nothing is charged, and the same key may be used again

# Pairs of a failpoint and the process that dies there.
PAYING = [
    ("booking.before_commit", RPC), ("booking.after_commit", RPC), ("booking.before_commit", WEB), ("booking.after_commit", WEB),
    ("pay.recorded", RPC), ("pay.recorded", WEB), ("pay.answered", RPC), ("pay.answered", WEB),
    ("settle.before_commit", RPC), ("settle.before_commit", WEB), ("webhook.before_commit", WEB), ("webhook.after_commit", WEB),
    ("relay.delivered", RELAY), ("sandbox.charged", SANDBOX), ("sandbox.webhook_due", SANDBOX), ("sandbox.webhook_sent", SANDBOX),
]  # fmt: skip
SILENCE = [
    ("reconcile.leased", CLOCK),
    ("reconcile.answered", CLOCK),
    ("settle.before_commit", CLOCK),
    ("clock.between_jobs", CLOCK),
]
CANCELLING = [
    ("cancel.before_commit", RPC), ("cancel.after_commit", RPC), ("cancel.before_commit", WEB), ("cancel.after_commit", WEB),
    ("refund.leased", CLOCK), ("refund.answered", CLOCK), ("refund.before_commit", CLOCK), ("sandbox.refunded", SANDBOX),
]  # fmt: skip
WORKERS = ("delivery.", "mail.", "sms.")
EXPIRING = [("expiry.before_commit", CLOCK)]
REDUCED = {  # in every run
    ("booking.after_commit", RPC), ("pay.answered", WEB), ("reconcile.answered", CLOCK), ("refund.answered", CLOCK),
    ("sandbox.charged", SANDBOX), ("expiry.before_commit", CLOCK),
}  # fmt: skip


def deaths(*candidates):
    """Run a test once for each death of this run."""
    chosen = [death for death in candidates if IS_WHOLE or death in REDUCED]
    return pytest.mark.parametrize(
        ("failpoint", "process"), chosen, ids=[f"{failpoint}-{process}" for failpoint, process in chosen]
    )


@pytest.fixture
def departure(world: World):
    return world.destinations.publish(capacity=20)


def travellers(world: World, process: str) -> list[Traveller]:
    """Return three travellers who call over REST if `process` is the web process, else over gRPC as the gateway does."""
    client: type[Client] = Rest if process == WEB else Rpc
    return [Traveller.using(client, world) for _ in range(TRAVELLERS)]


def together(people: list[Traveller], act) -> None:
    """Call `act` for all travellers at the same time."""
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(act, people))


def survived(world: World, marker: Path, process: str) -> None:
    """Check that the process died at its failpoint, and that nothing is under way or wrong 60 s after its death at the
    latest.
    """
    eventually(lambda: has_died(marker), PATIENCE)
    assert is_marked(marker, process)
    until = marker.stat().st_mtime + PATIENCE
    while (stuck := checks.under_way(world)) and time.time() < until:
        time.sleep(0.2)
    assert stuck == {}
    assert checks.problems(world) == {}
    if process == RELAY:
        assert checks.delivered_in_order(world)


@deaths(*PAYING)
def test_a_death_while_paying(world, departure, tmp_path, failpoint, process):
    """Each traveller is booked, confirmed and charged once, and the events are in order."""
    people = travellers(world, process)

    def act(traveller):
        traveller.books(departure)
        traveller.pays()
        traveller.sees("CONFIRMED")

    with world.dying(process, failpoint, tmp_path) as marker:
        together(people, act)
        survived(world, marker, process)

    assert checks.money_of(world, [person.id for person in people]) == {person.id: ([TOTAL], []) for person in people}
    histories = [
        sorted(event for event in checks.history_of(world, person.id) if event not in NOT_CHARGED) for person in people
    ]
    assert histories == [sorted(PAID)] * TRAVELLERS


@deaths(*SILENCE)
def test_a_death_while_asking_a_provider_that_never_answered(world, departure, tmp_path, failpoint, process):
    """The provider charged, and sent neither an answer nor a webhook.

    The clock asks and dies, and the restarted clock asks again.
    """
    people = travellers(world, process)

    def act(traveller):
        traveller.books(departure)
        traveller.pays("pm_timeout")
        traveller.sees("CONFIRMED")

    with world.dying(process, failpoint, tmp_path) as marker:
        together(people, act)
        survived(world, marker, process)

    assert checks.money_of(world, [person.id for person in people]) == {person.id: ([TOTAL], []) for person in people}
    assert [sorted(checks.history_of(world, person.id)) for person in people] == [sorted(PAID)] * TRAVELLERS


@deaths(*CANCELLING)
def test_a_death_while_cancelling(world, departure, tmp_path, failpoint, process):
    """Each booking is cancelled once, and everything is paid back once."""
    people = travellers(world, process)

    def act(traveller):
        traveller.books(departure)
        traveller.pays()
        traveller.cancels()

    with world.dying(process, failpoint, tmp_path) as marker:
        together(people, act)
        survived(world, marker, process)

    assert checks.money_of(world, [person.id for person in people]) == {
        person.id: ([TOTAL], [TOTAL]) for person in people
    }
    cancelled = sorted([*PAID, "booking.cancelled", "refund.succeeded"])
    assert [sorted(checks.history_of(world, person.id)) for person in people] == [cancelled] * TRAVELLERS


@deaths(*EXPIRING)
def test_a_death_while_holds_end(world, departure, tmp_path, failpoint, process):
    """Two travellers never pay, and their seats are released once.

    The third pays; the outcome is unknown when the hold ends.

    The third booking is kept and confirmed.
    """
    with world.shortened(WEB, BOOKING_HOLD_SECONDS="3"), world.dying(process, failpoint, tmp_path) as marker:
        *idle, payer = people = travellers(world, WEB)
        together(people, lambda traveller: traveller.books(departure))
        payer.pays("pm_slow")
        together(idle, lambda traveller: traveller.sees("CANCELLED"))
        payer.sees("CONFIRMED")
        survived(world, marker, process)

    nothing = {person.id: ([], []) for person in idle}
    assert checks.money_of(world, [person.id for person in people]) == {**nothing, payer.id: ([TOTAL], [])}
    assert [checks.history_of(world, person.id) for person in idle] == [["booking.created", "booking.cancelled"]] * 2
    history = checks.history_of(
        world, payer.id
    )  # the hold is extended only if the clock is back before the provider answers
    assert sorted(event for event in history if event != "booking.hold_extended") == sorted(PAID)


def test_every_failpoint_has_a_death():
    """A new failpoint needs a death in this file.

    The workers' are in notifications_service, in test_frozen_workers.py, and the import's in destinations_service, in
    test_import_interrupted.py.
    """
    deaths = {failpoint for failpoint, _ in (*PAYING, *SILENCE, *CANCELLING, *EXPIRING)}

    assert deaths == {name for name in FAILPOINTS if not name.startswith((*WORKERS, "import."))}
