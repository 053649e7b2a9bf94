"""kill -9 at the worst moments: within 60 s nothing is stuck, the books balance, each traveller was charged once.

Three travellers at once, each asking again with the same keys as a client does. Reduced in every run, all with PROOFS=whole.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.failpoints import FAILPOINTS
from shared.testing import eventually
from tests.faults import books
from tests.faults.travellers import PATIENCE, Door, Rest, Rpc, Traveller
from tests.faults.world import CLOCK, IS_WHOLE, RELAY, RPC, SANDBOX, WEB, World, has_died, is_marked

TRAVELLERS = 3
TOTAL = 2 * 50_000  # two adults, tax included
PAID = ["booking.created", "booking.confirmed", "payment.succeeded"]
REFUSED = {"payment.failed"}  # of a provider that is away: nothing was charged, the same key may be used again

# Where, and who dies there.
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
EXPIRING = [("expiry.before_commit", CLOCK)]
REDUCED = {  # in every run
    ("booking.after_commit", RPC), ("pay.answered", WEB), ("reconcile.answered", CLOCK), ("refund.answered", CLOCK),
    ("sandbox.charged", SANDBOX), ("expiry.before_commit", CLOCK),
}  # fmt: skip


def deaths(*of):
    """Mark a test with the deaths of this run."""
    chosen = [death for death in of if IS_WHOLE or death in REDUCED]
    return pytest.mark.parametrize(("failpoint", "process"), chosen, ids=[f"{name}-{who}" for name, who in chosen])


@pytest.fixture
def departure(world: World):
    return world.destinations.offer(capacity=20)


def travellers(world: World, process: str) -> list[Traveller]:
    """Three who come in by the door of the process that is to die; by the gateway's where it is none."""
    door: type[Door] = Rest if process == WEB else Rpc
    return [Traveller.at(door, world) for _ in range(TRAVELLERS)]


def together(people: list[Traveller], act) -> None:
    """Have each do something, at the same time."""
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(act, people))


def survived(world: World, marker: Path, process: str) -> None:
    """Check that the process died where it should, and wait until nothing is under way any more: at most 60 s after its death."""
    eventually(lambda: has_died(marker), PATIENCE)
    assert is_marked(marker, process)
    until = marker.stat().st_mtime + PATIENCE
    while (stuck := books.under_way(world)) and time.time() < until:
        time.sleep(0.2)
    assert stuck == {}
    assert books.wrong(world) == {}
    if process == RELAY:
        assert books.told_in_order(world)


@deaths(*PAYING)
def test_a_death_while_paying(world, departure, tmp_path, failpoint, process):
    """Booked once, confirmed, charged once, told once in order."""
    people = travellers(world, process)

    def act(traveller):
        traveller.books(departure)
        traveller.pays()
        traveller.sees("CONFIRMED")

    with world.doomed(process, failpoint, tmp_path) as marker:
        together(people, act)
        survived(world, marker, process)

    assert books.money_of(world, [one.id for one in people]) == {one.id: ([TOTAL], []) for one in people}
    histories = [sorted(event for event in books.history_of(world, one.id) if event not in REFUSED) for one in people]
    assert histories == [sorted(PAID)] * TRAVELLERS


@deaths(*SILENCE)
def test_a_death_while_asking_after_what_the_provider_never_answered(world, departure, tmp_path, failpoint, process):
    """The provider charged and said nothing, to nobody: the clock asks, dies, and its successor asks again."""
    people = travellers(world, process)

    def act(traveller):
        traveller.books(departure)
        traveller.pays("pm_timeout")
        traveller.sees("CONFIRMED")

    with world.doomed(process, failpoint, tmp_path) as marker:
        together(people, act)
        survived(world, marker, process)

    assert books.money_of(world, [one.id for one in people]) == {one.id: ([TOTAL], []) for one in people}
    assert [sorted(books.history_of(world, one.id)) for one in people] == [sorted(PAID)] * TRAVELLERS


@deaths(*CANCELLING)
def test_a_death_while_cancelling(world, departure, tmp_path, failpoint, process):
    """Cancelled once, everything paid back, once."""
    people = travellers(world, process)

    def act(traveller):
        traveller.books(departure)
        traveller.pays()
        traveller.cancels()

    with world.doomed(process, failpoint, tmp_path) as marker:
        together(people, act)
        survived(world, marker, process)

    assert books.money_of(world, [one.id for one in people]) == {one.id: ([TOTAL], [TOTAL]) for one in people}
    cancelled = sorted([*PAID, "booking.cancelled", "refund.succeeded"])
    assert [sorted(books.history_of(world, one.id)) for one in people] == [cancelled] * TRAVELLERS


@deaths(*EXPIRING)
def test_a_death_while_holds_end(world, departure, tmp_path, failpoint, process):
    """Two never pay: their seats come back, once. One pays, its end unknown when the hold ends: it is kept and confirmed."""
    with world.shortened(WEB, BOOKING_HOLD_SECONDS="3"), world.doomed(process, failpoint, tmp_path) as marker:
        *idle, payer = people = travellers(world, WEB)
        together(people, lambda traveller: traveller.books(departure))
        payer.pays("pm_slow")
        together(idle, lambda traveller: traveller.sees("CANCELLED"))
        payer.sees("CONFIRMED")
        survived(world, marker, process)

    nothing = {one.id: ([], []) for one in idle}
    assert books.money_of(world, [one.id for one in people]) == {**nothing, payer.id: ([TOTAL], [])}
    assert [books.history_of(world, one.id) for one in idle] == [["booking.created", "booking.cancelled"]] * 2
    told = books.history_of(world, payer.id)  # extended only where the clock was back before the provider had ended it
    assert sorted(event for event in told if event != "booking.hold_extended") == sorted(PAID)


def test_no_place_is_left_out():
    """Whoever names a place to die at shows here what happens then."""
    assert {failpoint for failpoint, _ in (*PAYING, *SILENCE, *CANCELLING, *EXPIRING)} == set(FAILPOINTS)
