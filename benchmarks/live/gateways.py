"""Gateway processes of the benchmark's own, beside the platform's, and a proxy that spreads connections over them."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Final

import httpx
import psutil

from launcher.environment import service_environment
from launcher.platform import Platform
from launcher.processes import BY_NAME
from launcher.vault import Vault

# One traveller has all connections here.
_WITHOUT_LIMITS: Final = {"SOCKET_LIMIT": "0", "GRAPHQL_COST_LIMIT_TRAVELLER": "0", "GRAPHQL_COST_LIMIT_NETWORK": "0"}


@dataclass(slots=True)
class Gateway:
    """A gateway process on a port of its own."""

    platform: Platform
    port: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, platform: Platform, port: int) -> "Gateway":
        """Start a gateway and wait until it is ready."""
        command = [part.format(port=port) for part in BY_NAME["gateway.web"].command]
        environment = {**service_environment("gateway", platform, Vault(platform)), **_WITHOUT_LIMITS}
        with open(os.devnull, "wb") as nowhere:
            process = subprocess.Popen(
                [sys.executable, *command[1:]], cwd=platform.root, env=environment, stdout=nowhere, stderr=nowhere
            )
        gateway = cls(platform, port, process)
        gateway.wait_until_ready()
        return gateway

    def wait_until_ready(self) -> None:
        """Wait for its health. Raises TimeoutError after a minute."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        raise TimeoutError("the gateway did not become ready")

    def kill(self) -> None:
        """Kill it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def megabytes(self) -> float:
        """Return its proportional set size."""
        return float(psutil.Process(self.process.pid).memory_full_info().pss) / 1e6

    def cpu_seconds(self) -> float:
        """Return its user and system time so far."""
        return sum(psutil.Process(self.process.pid).cpu_times()[:2])


@dataclass(slots=True)
class Proxy:
    """Passes connections on to the gateways in turn. It passes over a gateway that does not accept."""

    targets: list[int]
    port: int = 0
    _turn: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """Serve during the block."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, backlog=2_000)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tuple(self._tasks):
                task.cancel()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2 * len(self.targets)):
            self._turn += 1
            try:
                there = await asyncio.open_connection("127.0.0.1", self.targets[self._turn % len(self.targets)])
                break
            except OSError:
                continue
        else:
            writer.close()
            return
        for source, target in ((reader, there[1]), (there[0], writer)):
            task = asyncio.create_task(_copy(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
    target.close()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def gateways(platform: Platform, count: int) -> Iterator[list[Gateway]]:
    """Yield running gateways, and kill them after the block."""
    started: list[Gateway] = []
    try:
        started.extend(Gateway.start(platform, free_port()) for _ in range(count))
        yield started
    finally:
        for gateway in started:
            gateway.kill()
