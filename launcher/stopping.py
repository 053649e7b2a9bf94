"""Stops a platform in order: web, rpc, consumers and workers, relays, infrastructure. Its supervisor need not run."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from launcher.children import Child, forget, running, strays
from launcher.platform import Platform
from launcher.processes import BY_NAME, STOP_ORDER, TABLE, Kind

BUDGET: Final = 7.5  # seconds for everything; a process that still runs then is killed
KILL_SECONDS: Final = 2.0  # the longest wait for a killed process to be gone
LAST_STAGE: Final = 3.5  # seconds of the budget that are kept for the infrastructure


def stop(platform: Platform, *, say: Callable[[str], None] = lambda name: None, budget: float = BUDGET) -> list[str]:
    """Stop every process of this platform that runs, and return their names.

    Each gets SIGTERM, its grace, then SIGKILL.

    Processes whose pid file was lost are recognised by their mark. Unfinished migrations and seeds are killed first.
    """
    deadline = time.monotonic() + budget
    recorded = [child for process in TABLE if (child := running(platform, process.name))]
    lost = strays(platform, recorded)
    known = [*recorded, *(child for child in lost if child.name in BY_NAME and os.getsid(child.pid) == child.pid)]
    for child in lost:
        if child not in known:
            child.send(signal.SIGKILL)
    for kind in STOP_ORDER:
        stage = [child for child in known if BY_NAME[child.name].kind is kind]
        stop_stage(stage, deadline=deadline, last=kind is Kind.INFRASTRUCTURE)
        for child in stage:
            forget(platform, child.name)
            say(child.name)
    left_over = strays(platform)
    for child in left_over:
        child.kill()
    wait_until_ended([*lost, *left_over])
    (platform.run / "offset").unlink(missing_ok=True)
    return [child.name for child in known]


def stop_stage(children: Iterable[Child], *, deadline: float, last: bool = False) -> None:
    """Stop these children together. The stages before the last leave time for it, because a Kafka that was killed
    reads all of its logs at its next start.
    """
    children = list(children)
    for child in children:
        child.send(signal.SIGINT if child.name == "postgres" else signal.SIGTERM)  # INT: do not wait for clients
    begun = time.monotonic()
    waiting = children
    while waiting := [child for child in waiting if child.alive()]:
        now = time.monotonic()
        for child in waiting:
            if now - begun > BY_NAME[child.name].grace or (not last and now > deadline - LAST_STAGE):
                child.kill()
        time.sleep(0.03)
    for child in children:
        kill_group(child)


def wait_until_ended(killed: Sequence[Child]) -> None:
    """Wait, for KILL_SECONDS at most, until these killed children have ended: a busy kernel needs a moment."""
    deadline = time.monotonic() + KILL_SECONDS
    while any(child.alive() for child in killed) and time.monotonic() < deadline:
        time.sleep(0.01)


def kill_group(child: Child) -> None:
    """Kill what an ended process left in its process group: a worker keeps the port on which its master listened."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
