"""Run bookings_service and the payment provider as processes of their own, restarted by the launcher's runner.

Upstreams are doubles.

PostgreSQL, Kafka and Valkey come from the environment: `manage_all.py test` starts them. Each run has a database,
topics and ports of its own.
"""

import os
import random
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psycopg
import pytest
from psycopg import sql

from bookings_service.tests.doubles import Destinations, Users
from contracts.travel.destinations.v1 import destinations_pb2_grpc
from contracts.travel.users.v1 import users_pb2_grpc
from launcher import children, ports
from launcher.environment import service_environment
from launcher.platform import Platform
from launcher.processes import BY_NAME
from launcher.report import Reporter
from launcher.runner import Runner
from launcher.stopping import stop_stage
from launcher.vault import Vault
from shared.auth import testing as auth
from shared.testing.kafka import own_topics, topic_prefix

IS_WHOLE = os.environ.get("PROOFS") == "whole"  # reduced otherwise
NAMES = (WEB, RPC, CLOCK, RELAY, SANDBOX) = (
    "bookings.web",
    "bookings.rpc",
    "bookings.clock",
    "bookings.relay",
    "sandbox",
)
PORTS = (
    *(ports.HTTP["bookings"], ports.GRPC["bookings"], ports.SANDBOX),
    *(ports.GRPC["users"], ports.GRPC["destinations"]),
)


class Supervised:
    """One process that is started, and restarted as the supervisor does it, until `stop`."""

    def __init__(self, name: str, platform: Platform) -> None:
        self._platform = platform
        self._name = name
        self._runner = Runner(platform, Vault(platform), Reporter(platform), external=True)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()  # before bring_up: a process that dies before it is ready is restarted too
        self._runner.bring_up(BY_NAME[name])

    def stop(self) -> None:
        """Stop the process and its restarts, with SIGTERM and its grace period."""
        self._runner.stopping.set()
        self._watcher.join()
        if child := children.running(self._platform, self._name):
            stop_stage([child], deadline=float("inf"))

    def _watch(self) -> None:
        while not self._runner.stopping.wait(0.1):
            self._runner.watch()


@dataclass
class World:
    """The processes of one run, their database, and the double of destinations_service."""

    platform: Platform
    database: str
    destinations: Destinations
    _supervised: dict[str, Supervised] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start these processes at the same time, with the present environment. Running ones are stopped first."""
        with futures.ThreadPoolExecutor() as pool:
            list(pool.map(Supervised.stop, [self._supervised.pop(name) for name in names if name in self._supervised]))
            started = pool.map(lambda name: Supervised(name, self.platform), names)
            self._supervised.update(zip(names, started, strict=True))

    def stop(self) -> None:
        """Stop every process."""
        with futures.ThreadPoolExecutor() as pool:
            list(pool.map(Supervised.stop, self._supervised.values()))

    @contextmanager
    def dying(self, name: str, failpoint: str, folder: Path) -> Iterator[Path]:
        """Run the body while process `name` will die at `failpoint`, once.

        Yields the marker file that the death writes.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FAILPOINT", failpoint)
            patch.setenv("FAILPOINT_DIR", str(folder))
            self.start(name)
            yield folder / failpoint

    @contextmanager
    def shortened(self, *names: str, **times: str) -> Iterator[None]:
        """Run the body while these processes run with other times in their environment."""
        with pytest.MonkeyPatch.context() as patch:
            for variable, seconds in times.items():
                patch.setenv(variable, seconds)
            self.start(*names)
            yield
        self.start(*names)

    def kill(self, name: str) -> None:
        """Kill a process now with SIGKILL, unless it is down already."""
        if child := children.running(self.platform, name):
            child.send(signal.SIGKILL)

    def url(self, name: str) -> str:
        """Return the address of a process."""
        return f"127.0.0.1:{self.platform.port(BY_NAME[name].port or 0)}"

    @property
    def sandbox_database(self) -> Path:
        """The provider's database file."""
        return self.platform.var / "sandbox.sqlite3"

    def seed_of(self, service: str) -> str:
        """Return a service's private key."""
        return Vault(self.platform).service_seed(service)


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    """Start all processes, and remove everything at the end, even if the run is killed."""
    platform = Platform(var=folder / "var", offset=_free_block())
    platform.make_folders()
    destinations = Destinations()
    with pytest.MonkeyPatch.context() as patch, _database(platform) as url:
        auth.install(folder)
        patch.setenv("BOOKINGS_DATABASE_URL", url)
        patch.setenv("PAYMENT_RECONCILE_SECONDS", "2")
        for variable in ("SERVICE_PRIVATE_KEYS", "SERVICE_PUBLIC_KEYS"):
            patch.delenv(variable, raising=False)
        prefix = topic_prefix(f"faults.{secrets.token_hex(4)}.")
        with _upstreams(platform, destinations), prefix, own_topics():
            _migrate(platform)
            world = World(platform, url, destinations)
            try:
                world.start(*NAMES)
                yield world
            finally:
                world.stop()


@contextmanager
def _database(platform: Platform) -> Iterator[str]:
    """Create a database, from the run's template if there is one. At the end, stop what uses it and drop it."""
    own = os.environ["BOOKINGS_DATABASE_URL"]
    name, template = f"faults_{secrets.token_hex(4)}", os.environ.get("BOOKINGS_TEST_DATABASE_TEMPLATE", "template1")
    make = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    reaper = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.reaper", str(platform.var), own, name],
        cwd=platform.root, stdin=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute(make)
        yield f"{own.rpartition('/')[0]}/{name}"
    finally:
        reaper.communicate()


def _migrate(platform: Platform) -> None:
    environment = service_environment("bookings", platform, Vault(platform), external=True)
    command = [sys.executable, "bookings_service/manage.py", "migrate", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=platform.root, env=environment, check=True)


@contextmanager
def _upstreams(platform: Platform, destinations: Destinations) -> Iterator[None]:
    """Serve doubles of users_service and destinations_service at the addresses that bookings_service calls."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    users_pb2_grpc.add_UsersServiceServicer_to_server(Users(), server)
    destinations_pb2_grpc.add_DestinationsServiceServicer_to_server(destinations, server)
    for service in ("users", "destinations"):
        server.add_insecure_port(f"127.0.0.1:{platform.port(ports.GRPC[service])}")
    server.start()
    try:
        yield
    finally:
        server.stop(0).wait(5)


def _free_block() -> int:
    """Return an offset whose ports are free, below the range that the system assigns by itself."""
    offsets = random.sample(range(10_000, 24_000, 100), 140)
    return next(offset for offset in offsets if all(ports.free(port + offset) for port in PORTS))


def has_died(marker: Path) -> bool:
    """Return whether the failpoint was reached and its process is gone. An empty marker is still being written."""
    parts = marker.read_text().split() if marker.exists() else []
    return len(parts) > 1 and children.start_mark(int(parts[1])) is None


def is_marked(marker: Path, name: str) -> bool:
    """Return whether process `name` reached the failpoint."""
    return marker.read_text().split()[0] == name
