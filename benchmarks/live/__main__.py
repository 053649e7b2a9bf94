"""Live updates at scale: idle subscriptions, how soon a change reaches a thousand, and gateways that are killed.

`./manage_all.py bench live [--part idle|reach|moves …]` needs a platform that is up. It starts gateways of its own
beside the platform's. It asserts nothing, except that no subscriber misses or repeats an update.
"""

import argparse
import asyncio
import functools
import sys
import time
from datetime import datetime
from typing import Any

from benchmarks.gateway.measuring import percentile
from benchmarks.gateway.travellers import Stage
from benchmarks.live.gateways import Gateway, Proxy, gateways
from benchmarks.live.subscribers import Subscriber, allow_many_files, connect
from demo.people import Person
from launcher.platform import Platform

PARTS = ("idle", "reach", "moves")


def options_of(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="bench live", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="may be repeated; all without it")
    parser.add_argument("--idle", type=int, default=5_000, help="idle subscriptions, half of them over SSE")
    parser.add_argument("--idle-seconds", type=float, default=40)
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args(arguments)
    options.part = options.part or list(PARTS)
    return options


class Booking:
    """A booking that changes when its traveller tries to pay with a declined card."""

    def __init__(self, person: Person, departure: str) -> None:
        self._person = person
        self._booking = person.book(departure, adults=1)
        self.reference = str(self._booking["reference"])

    def change(self) -> None:
        """Try to pay. The history of the booking gets entries."""
        self._person.pay(self._booking, "pm_declined")

    def sequence(self) -> int:
        """Return the sequence of the newest entry."""
        query = "query($r: String!) { booking(reference: $r) { sequence } }"
        return int(self._person.api.call(query, {"r": self.reference})["sequence"])


async def idle(platform: Platform, booking: Booking, token: str, options: argparse.Namespace) -> list[str]:
    """Measure what idle subscriptions cost."""
    with gateways(platform, 1) as (gateway,):
        await asyncio.sleep(5)
        before = gateway.megabytes()
        for kind in ("ws", "sse"):
            some = [Subscriber(booking.reference, token) for _ in range(options.idle // 2)]
            await connect(some, gateway.port, kind=kind, lost=_lost_too_early)
        await asyncio.sleep(10)
        began, used = time.monotonic(), gateway.cpu_seconds()
        await asyncio.sleep(options.idle_seconds)
        share = (gateway.cpu_seconds() - used) / (time.monotonic() - began)
        more = gateway.megabytes() - before
        return [
            f"idle: {options.idle} subscriptions, half WebSocket and half SSE: {more:.0f} MB more"
            f" ({more * 1_000 / options.idle:.0f} kB each; target 300 MB), {share:.1%} of a core (target 8 %)"
        ]


async def reach(platform: Platform, booking: Booking, token: str, options: argparse.Namespace) -> list[str]:
    """Measure how long a change takes to each subscriber, from the time that the history entry has."""
    with gateways(platform, 1) as (gateway,):
        some = [Subscriber(booking.reference, token) for _ in range(options.subscribers)]
        await connect(some, gateway.port, kind="ws", lost=_lost_too_early)
        await asyncio.sleep(5)
        used = gateway.cpu_seconds()
        for _ in range(options.changes):
            await asyncio.to_thread(booking.change)
            await asyncio.sleep(1)
        sequence = await asyncio.to_thread(booking.sequence)
        await _until(lambda: all(one.received and one.sequences[-1] == sequence for one in some))
        taken = [
            (at - datetime.fromisoformat(written).timestamp()) * 1_000
            for one in some
            for _, written, at in one.received
        ]
        cost = (gateway.cpu_seconds() - used) / len(taken) * 1e6
        return [
            f"reach: {len(taken) // options.subscribers} updates to {options.subscribers} subscribers: p50"
            f" {percentile(taken, 50):.0f} ms (target 25), p99 {percentile(taken, 99):.0f} ms (target 120),"
            f" {cost:.0f} µs of CPU in the gateway for each message"
        ]


async def moves(platform: Platform, booking: Booking, token: str, options: argparse.Namespace) -> list[str]:
    """Kill one of two gateways again and again, while the booking changes. Every subscriber comes back."""
    first = await asyncio.to_thread(booking.sequence)
    with gateways(platform, 2) as pair:
        async with Proxy([gateway.port for gateway in pair]).running() as proxy:
            some = [Subscriber(booking.reference, token) for _ in range(options.subscribers)]
            for one in some:
                one.received.append((first, "", 0.0))
            back = functools.partial(_come_back, proxy)
            await connect(some, proxy.port, kind="ws", lost=back)
            for number in range(options.kills):
                await asyncio.to_thread(booking.change)
                pair[number % 2].kill()
                await asyncio.to_thread(booking.change)
                pair[number % 2] = await asyncio.to_thread(Gateway.start, platform, pair[number % 2].port)
                await _until(lambda: all(one.is_live for one in some))
            sequence = await asyncio.to_thread(booking.sequence)
            expected = list(range(first, sequence + 1))
            complete = await _until(lambda: all(one.sequences == expected for one in some), seconds=60)
            wrong = sum(one.sequences != expected for one in some)
            moved = sum(one.reconnects for one in some)
            for one in some:
                one.reconnects = -1
    if not complete:
        raise AssertionError(f"{wrong} of {len(some)} subscribers missed or repeated an update")
    return [
        f"moves: {options.kills} kills, {moved} reconnects of {len(some)} subscribers, {len(expected) - 1} updates:"
        " no gap, no repeat"
    ]


def _lost_too_early(_subscriber: Subscriber) -> None:
    return None


def _come_back(proxy: Proxy, subscriber: Subscriber) -> None:
    if subscriber.reconnects < 0:
        return
    subscriber.reconnects += 1

    async def again() -> None:
        try:
            await connect([subscriber], proxy.port, kind="ws", lost=functools.partial(_come_back, proxy))
        except OSError:
            await asyncio.sleep(0.2)
            await again()

    asyncio.get_running_loop().create_task(again())


async def _until(holds: Any, *, seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.05)
    return True


async def measured(options: argparse.Namespace) -> None:
    """Run the parts and print a line for each."""
    platform, stage = Platform.from_environment(), Stage.of_platform()
    person = await asyncio.to_thread(stage.person, "Ada")
    departures = await asyncio.to_thread(stage.departures)
    run = {"idle": idle, "reach": reach, "moves": moves}
    for part in options.part:
        booking = await asyncio.to_thread(Booking, person, departures[0])
        token = str(person.api.access_token)
        for line in await run[part](platform, booking, token, options):
            print(line, flush=True)


def main() -> int:
    """Measure and print. Return the exit code."""
    allow_many_files()
    asyncio.run(measured(options_of(sys.argv[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
