"""Kill, stop and freeze processes of the running platform. Its supervisor restarts what died."""

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from launcher import children, health
from launcher.environment import all_services
from launcher.platform import Platform
from launcher.processes import BY_NAME
from launcher.vault import Vault
from shared.testing import eventually

KAFKA, VALKEY = "kafka", "valkey"
PATIENCE = 120  # s: the longest back-off of a restart is 30 s, and a broker that was killed often starts slowly


def platform() -> Platform:
    """Return the platform that TRAVEL_VAR and PORT_OFFSET name."""
    return Platform.from_environment()


def is_ready(name: str) -> bool:
    """Return whether the process answers over its own interface."""
    own = platform()
    return health.ready(BY_NAME[name], own, all_services(own, Vault(own)))


def kill(name: str) -> None:
    """Kill the process with SIGKILL, as soon as it runs. Valkey loses all its data with it."""
    child = eventually(lambda: children.running(platform(), name), timeout=PATIENCE)
    assert child is not None
    child.send(signal.SIGKILL)
    if name == VALKEY:
        shutil.rmtree(platform().var / "valkey" / "appendonlydir", ignore_errors=True)


@contextmanager
def stopped(name: str) -> Iterator[None]:
    """Keep the process from running during the body: each new one is killed at once."""
    over = threading.Event()

    def keep_killing() -> None:
        while not over.wait(0.05):
            if child := children.running(platform(), name):
                child.send(signal.SIGKILL)

    thread = threading.Thread(target=keep_killing)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def hung(name: str) -> Iterator[None]:
    """Freeze the process during the body: its connections stay open and nothing answers."""
    child = children.running(platform(), name)
    assert child is not None, f"{name} does not run"
    child.send(signal.SIGSTOP)
    try:
        yield
    finally:
        child.send(signal.SIGCONT)
