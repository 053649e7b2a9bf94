"""kill -9 at no particular moment, again and again, while travellers book, pay and cancel. With PROOFS=whole alone: it takes minutes."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.faults import books
from tests.faults.travellers import PATIENCE, Refused, Rest, Rpc, Traveller
from tests.faults.world import CLOCK, NAMES, RPC, WEB, World

SEED = 20_261_123
KILLS = 20  # four of each process: the supervisor waits longer before each start
METHODS = ("pm_ok", "pm_ok", "pm_timeout", "pm_slow", "pm_refund_fails_once")
TOTAL = 2 * 50_000


def kill_some(world: World, stop: threading.Event) -> list[str]:
    """Kill a process every second or so, until there were enough or it is stopped; return their names."""
    chance, victims = random.Random(SEED), list(NAMES) * (KILLS // len(NAMES))
    chance.shuffle(victims)
    killed = []
    for name in victims:
        if stop.wait(chance.uniform(0.2, 2.0)):
            break
        world.kill(name)
        killed.append(name)
    return killed


def journey(world: World, departure, number: int, stop: threading.Event) -> list[tuple[Traveller, bool]]:
    """Book and pay one trip after the other, cancelling every second one, until stopped; return who travelled and whether they cancelled."""
    chance, done = random.Random(SEED + number), []
    while not stop.is_set():
        traveller, cancels = Traveller.at(chance.choice((Rest, Rpc)), world), len(done) % 2 == 1
        traveller.books(departure)
        traveller.pays(chance.choice(METHODS))
        traveller.sees("CONFIRMED")
        if cancels:
            traveller.cancels()
        done.append((traveller, cancels))
    return done


def left_under_way(world: World) -> dict:
    """Wait until nothing is under way any more and return what still is after 60 s."""
    until = time.monotonic() + PATIENCE
    while (stuck := books.under_way(world)) and time.monotonic() < until:
        time.sleep(0.2)
    return stuck


def dawdle(world: World, departures, number: int, stop: threading.Event) -> int:
    """Book trips and pay most of them, often after the hold has ended, cancel some, until stopped; return how many were booked."""
    chance, booked = random.Random(SEED + number), 0
    while not stop.is_set():
        traveller = Traveller.at(chance.choice((Rest, Rpc)), world)
        with suppress(Refused):  # no seats left, too late to pay, nothing left to cancel
            traveller.books(chance.choice(departures))
            booked += 1
            stop.wait(chance.uniform(0.0, 4.0))
            if chance.random() < 0.8:
                traveller.pays(chance.choice((*METHODS, "pm_declined")))
            if chance.random() < 0.3:
                traveller.cancels_as_it_is()
    return booked


def test_killed_again_and_again_while_six_travel(world: World):
    """Everybody's booking is as they left it, each was charged once, and got it back once where they cancelled."""
    departure, enough = world.destinations.offer(capacity=1_000), threading.Event()

    with ThreadPoolExecutor(7) as pool:
        journeys = [pool.submit(journey, world, departure, number, enough) for number in range(6)]
        killed = pool.submit(kill_some, world, enough).result()
        enough.set()
        people = [one for done in journeys for one in done.result()]
    stuck = left_under_way(world)

    assert sorted(killed) == sorted(NAMES * (KILLS // len(NAMES)))
    assert len(people) >= 6
    assert stuck == {}
    assert books.wrong(world) == {}
    assert books.told_in_order(world)
    money = {traveller.id: ([TOTAL], [TOTAL] if cancels else []) for traveller, cancels in people}
    assert books.money_of(world, list(money)) == money


def test_killed_again_and_again_while_holds_end(world: World):
    """Holds of three seconds, few seats, payments that nobody knows the end of: who travels has paid, who does not has not, or no more."""
    departures, enough = [world.destinations.offer(capacity=12) for _ in range(4)], threading.Event()

    with world.shortened(WEB, CLOCK, RPC, BOOKING_HOLD_SECONDS="3", HOLD_EXTENSION_SECONDS="2"):
        with ThreadPoolExecutor(9) as pool:
            dawdlers = [pool.submit(dawdle, world, departures, number, enough) for number in range(8)]
            killed = pool.submit(kill_some, world, enough).result()
            enough.set()
            booked = sum(done.result() for done in dawdlers)
        stuck = left_under_way(world)

    assert sorted(killed) == sorted(NAMES * (KILLS // len(NAMES)))
    assert booked >= 8
    assert stuck == {}
    assert books.wrong(world) == {}
    assert books.told_in_order(world)
