"""The gateways that are compared: ours as the platform runs it, ours without its cache, and the peers."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.gateway.client import closed_loop
from benchmarks.gateway.peers import install
from benchmarks.gateway.workloads import Workload

PEERS: Final = ("strawberry", "apollo", "bare")
HERE: Final = Path(__file__).resolve().parent
_READY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway with a GraphQL endpoint."""

    name: str
    url: str
    pids: Sequence[int]

    def load(self, workload: Workload, *, connections: int, seconds: float) -> list[float]:
        """Load it in a closed loop. Return the milliseconds of each request. Raises WrongAnswer."""
        return asyncio.run(closed_loop(self.url, workload.send, connections=connections, seconds=seconds))


@dataclass(frozen=True, slots=True)
class BareClient(Gateway):
    """A process that calls the services without any GraphQL. `process` takes a plan for each measurement."""

    process: "subprocess.Popen[str]"

    def load(self, workload: Workload, *, connections: int, seconds: float) -> list[float]:
        """Let it call the services in a closed loop. Return the milliseconds of each request."""
        plan = {**workload.plan(), "mark": workload.mark, "connections": connections, "seconds": seconds}
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps(plan)}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the bare client has ended; its log is in the state folder")
        return list(json.loads(answer))


@contextlib.contextmanager
def all_gateways(names: Sequence[str], *, url: str, pids: Sequence[int]) -> Iterator[list[Gateway]]:
    """Yield ours, the platform's, and the other gateways of `names`, which run during the block.

    They have the environment of ours: the same credentials and the same services.
    """
    ours = psutil.Process(pids[0])
    environment = {name: value for name, value in ours.environ().items() if name != "TRAVEL_PROCESS"}
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(_started(name, ours.cmdline(), environment)) for name in names]
        yield [Gateway("ours", url, pids), *others]


@contextlib.contextmanager
def _started(name: str, ours: Sequence[str], environment: dict[str, str]) -> Iterator[Gateway]:
    port = _free_port()
    command, more = _command(name, ours, port)
    log = Path(os.environ["TRAVEL_VAR"]) / "log" / f"bench-{name}.log"
    pipes: dict[str, Any] = (
        {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True} if name == "bare" else {}
    )
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=HERE.parent.parent, env={**environment, **more}, start_new_session=True,
            **{"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **pipes},
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        if name == "bare":
            yield BareClient(name, url, [process.pid], process)
        else:
            _wait_for(port, process, log)
            yield Gateway(name, url, [process.pid])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _command(name: str, ours: Sequence[str], port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command of a gateway on `port`, and the variables that it needs besides those of ours."""
    if name == "ours, cold":
        again = list(ours)
        again[again.index("--port") + 1] = str(port)
        return again, {"PORT": str(port), "CATALOGUE_CACHE_MB": "0"}
    if name == "apollo":
        home = install.node_modules(HERE / "peers" / "apollo_peer")
        variables = {"NODE_ENV": "production", "PORT": str(port), "PROTO_DIR": str(HERE.parent.parent / "proto")}
        return ["node", str(home / "server.js")], variables
    python = str(install.python_programs() / "python")
    if name == "bare":
        return [python, "-m", "benchmarks.gateway.peers.bare"], {}
    application = "benchmarks.gateway.peers.strawberry_peer.app:app"
    return [python, "-m", "uvicorn", application, "--port", str(port), "--no-access-log"], {}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[Any]", log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"a gateway has not started:\n{log.read_text()[-2_000:]}")
