"""Several processes that serve one port, so that a service uses more than one core: RPC_PROCESSES, 1 by default.

The kernel gives each new connection to one of them. They are forked from a process that serves nothing: it passes on
the signal to stop, and it ends with an error if one of them ends by itself, so that its supervisor starts all again.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from shared.garbage import freeze_imported

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger("rpc")


class ProcessEnded(Exception):
    """One of the processes has ended, although nobody asked for it."""


def serve_in(processes: int, serve: Callable[[], None]) -> None:
    """Run `serve` in as many forked processes, until SIGTERM or SIGINT has ended all of them.

    Raises ProcessEnded if one of them ends by itself, after the others have stopped. No thread may have started gRPC.
    """
    freeze_imported()  # so that the processes share the memory of what is imported
    here, alive = os.pipe()
    children: list[int] = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            os.close(alive)
            _stop_with_parent(here)
            serve()
            return
        children.append(child)
    _supervise(children)


def check_free(host: str, port: int) -> None:
    """Raise OSError if a program listens on the port. Servers that share a port would not notice it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # ended connections do not count
        probe.bind((host, port))


def _supervise(children: Sequence[int]) -> None:
    """Wait until every child has ended. Pass a signal on to all of them."""
    asked = False

    def stop(*_: object) -> None:
        nonlocal asked
        asked = True
        _terminate(children)

    for number in _SIGNALS:
        signal.signal(number, stop)
    first, _ = os.wait()
    ended_by_itself = not asked
    _terminate(children)
    for child in children:
        if child != first:
            os.waitpid(child, 0)
    if ended_by_itself:
        raise ProcessEnded(f"gRPC process {first} ended by itself")


def _terminate(children: Sequence[int]) -> None:
    for child in children:
        try:
            os.kill(child, signal.SIGTERM)
        except ProcessLookupError:
            continue


def _stop_with_parent(here: int) -> None:
    """Ask this process to stop when its parent has ended, however that happened."""

    def watch() -> None:
        os.read(here, 1)  # nobody writes: it returns when the parent's end is closed
        log.info("parent_ended")
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
