"""kill -9 at random moments, again and again, while travellers book, pay and cancel.

Only with PROOFS=whole: it takes minutes.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.faults import checks
from tests.faults.travellers import PATIENCE, Refused, Rest, Rpc, Traveller
from tests.faults.world import CLOCK, NAMES, RPC, WEB, World

SEED = 20_261_123
KILLS = 20  # four for each process: the supervisor waits longer before each restart
METHODS = ("pm_ok", "pm_ok", "pm_timeout", "pm_slow", "pm_refund_fails_once")
TOTAL = 2 * 50_000


def kill_some(world: World, stop: threading.Event) -> list[str]:
    """Kill a process every second or so, KILLS times or until `stop`; return the names of the killed processes."""
    generator, victims = random.Random(SEED), list(NAMES) * (KILLS // len(NAMES))
    generator.shuffle(victims)
    killed = []
    for name in victims:
        if stop.wait(generator.uniform(0.2, 2.0)):
            break
        world.kill(name)
        killed.append(name)
    return killed


def journey(world: World, departure, number: int, stop: threading.Event) -> list[tuple[Traveller, bool]]:
    """Book and pay one trip after the other and cancel every second one, until `stop`.

    Return each traveller, and whether they cancelled.
    """
    generator, done = random.Random(SEED + number), []
    while not stop.is_set():
        traveller, cancels = Traveller.using(generator.choice((Rest, Rpc)), world), len(done) % 2 == 1
        traveller.books(departure)
        traveller.pays(generator.choice(METHODS))
        traveller.sees("CONFIRMED")
        if cancels:
            traveller.cancels()
        done.append((traveller, cancels))
    return done


def unfinished_after_waiting(world: World) -> dict:
    """Wait until nothing is under way, at most 60 s, and return what still is."""
    until = time.monotonic() + PATIENCE
    while (stuck := checks.under_way(world)) and time.monotonic() < until:
        time.sleep(0.2)
    return stuck


def book_slowly(world: World, departures, number: int, stop: threading.Event) -> int:
    """Book trips, pay most of them, often after the hold has ended, and cancel some, until `stop`.

    Return how many were booked.
    """
    generator, booked = random.Random(SEED + number), 0
    while not stop.is_set():
        traveller = Traveller.using(generator.choice((Rest, Rpc)), world)
        with suppress(Refused):  # no free seats, too late to pay, nothing to cancel
            traveller.books(generator.choice(departures))
            booked += 1
            stop.wait(generator.uniform(0.0, 4.0))
            if generator.random() < 0.8:
                traveller.pays(generator.choice((*METHODS, "pm_declined")))
            if generator.random() < 0.3:
                traveller.cancels_as_it_is()
    return booked


def test_killed_again_and_again_while_six_travel(world: World):
    """Each booking has its last state, each traveller was charged once, and got the money back once if they cancelled."""
    departure, enough = world.destinations.publish(capacity=1_000), threading.Event()

    with ThreadPoolExecutor(7) as pool:
        journeys = [pool.submit(journey, world, departure, number, enough) for number in range(6)]
        killed = pool.submit(kill_some, world, enough).result()
        enough.set()
        people = [pair for done in journeys for pair in done.result()]
    stuck = unfinished_after_waiting(world)

    assert sorted(killed) == sorted(NAMES * (KILLS // len(NAMES)))
    assert len(people) >= 6
    assert stuck == {}
    assert checks.problems(world) == {}
    assert checks.delivered_in_order(world)
    money = {traveller.id: ([TOTAL], [TOTAL] if cancels else []) for traveller, cancels in people}
    assert checks.money_of(world, list(money)) == money


def test_killed_again_and_again_while_holds_end(world: World):
    """With holds of three seconds, few seats and payments of unknown outcome: CONFIRMED bookings are paid, the others
    keep no money.
    """
    departures, enough = [world.destinations.publish(capacity=12) for _ in range(4)], threading.Event()

    with world.shortened(WEB, CLOCK, RPC, BOOKING_HOLD_SECONDS="3", HOLD_EXTENSION_SECONDS="2"):
        with ThreadPoolExecutor(9) as pool:
            bookers = [pool.submit(book_slowly, world, departures, number, enough) for number in range(8)]
            killed = pool.submit(kill_some, world, enough).result()
            enough.set()
            booked = sum(done.result() for done in bookers)
        stuck = unfinished_after_waiting(world)

    assert sorted(killed) == sorted(NAMES * (KILLS // len(NAMES)))
    assert booked >= 8
    assert stuck == {}
    assert checks.problems(world) == {}
    assert checks.delivered_in_order(world)
