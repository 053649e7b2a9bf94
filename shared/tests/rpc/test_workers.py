"""The threads of unary methods: which thread runs a call, what becomes of a call that nobody waits for, and the end."""

import asyncio
import subprocess
import sys
import threading

import pytest

from shared.errors import Unavailable
from shared.rpc.workers import Workers
from shared.testing.patience import eventually


async def test_the_thread_that_was_idle_last_runs_the_next_call() -> None:
    """Seen failing (two threads in turn) with `_idle` emptied from its other end."""
    workers = Workers(threads=2)
    both = threading.Barrier(2)
    await asyncio.gather(*(workers.run(both.wait, timeout=5) for _ in range(2)))

    threads = set()
    for _ in range(6):
        await asyncio.to_thread(eventually, lambda: len(workers._idle) == 2)  # a thread answers before it is idle
        threads.add(await workers.run(threading.get_ident, timeout=5))

    assert len(threads) == 1


async def test_a_call_that_waited_too_long_is_not_run_and_frees_its_place() -> None:
    """Seen failing (it ran, and the last call was refused) without Workers._give_up."""
    workers = Workers(threads=1, waiting=1)
    release, ran = threading.Event(), []
    running = asyncio.create_task(workers.run(release.wait, timeout=5))
    await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await workers.run(lambda: ran.append("too late"), timeout=0.05)
    next_call = asyncio.create_task(workers.run(lambda: ran.append("next"), timeout=5))
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(running, next_call)

    assert ran == ["next"]


async def test_a_call_that_its_client_cancels_while_it_waits_is_not_run() -> None:
    """Seen failing (it ran) without Workers._give_up."""
    workers = Workers(threads=1, waiting=1)
    release, ran = threading.Event(), []
    running = asyncio.create_task(workers.run(release.wait, timeout=5))
    waiting = asyncio.create_task(workers.run(lambda: ran.append("cancelled"), timeout=5))
    await asyncio.sleep(0)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    await running
    await workers.run(lambda: ran.append("next"), timeout=5)

    assert ran == ["next"]


async def test_a_call_keeps_its_place_until_its_thread_is_free() -> None:
    """A thread cannot be interrupted. Seen failing (no refusal) with the place freed at the timeout."""
    workers = Workers(threads=1, waiting=0)
    release = threading.Event()
    with pytest.raises(TimeoutError):
        await workers.run(release.wait, timeout=0.05)

    try:
        with pytest.raises(Unavailable):
            await workers.run(lambda: None, timeout=0.5)
    finally:
        release.set()  # else the process could not exit


async def test_an_error_of_a_call_is_raised_to_its_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        await Workers(threads=1).run(lambda: 1 // 0, timeout=5)


EXITS = """
import asyncio, time
from shared.errors import Unavailable
from shared.rpc.workers import Workers
from shared.testing.patience import eventually

def slow():
    time.sleep(0.3)
    print("committed", flush=True)

async def main():
    try:
        await workers.run(slow, timeout=0.05)
    except TimeoutError:
        print("timed out", flush=True)

workers = Workers()
asyncio.run(main())
"""


def test_a_process_that_exits_lets_its_calls_finish() -> None:
    """Seen failing ("timed out" only) without Workers.end at exit."""
    printed = subprocess.run([sys.executable, "-c", EXITS], capture_output=True, text=True, check=True, timeout=30)

    assert printed.stdout.split("\n")[:2] == ["timed out", "committed"]
