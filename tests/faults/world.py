"""bookings_service and the payment provider as their own processes, kept alive by the launcher's runner; the neighbours as doubles.

PostgreSQL, Kafka and Valkey are the environment's: `manage_all.py test` brings them up. Database, topics and ports are this run's own.
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
from shared.testing.kafka import own_topics

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


class Kept:
    """One process, started and started again as the supervisor does it, until it is let go."""

    def __init__(self, name: str, platform: Platform) -> None:
        self._platform = platform
        self._name = name
        self._runner = Runner(platform, Vault(platform), Reporter(platform), external=True)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()  # one that dies before it is ready is started again, too
        self._runner.bring_up(BY_NAME[name])

    def stop(self) -> None:
        """Stop it for good, with SIGTERM and its grace."""
        self._runner.stopping.set()
        self._watcher.join()
        if child := children.running(self._platform, self._name):
            stop_stage([child], deadline=float("inf"))

    def _watch(self) -> None:
        while not self._runner.stopping.wait(0.1):
            self._runner.watch()


@dataclass
class World:
    """What a traveller of these tests deals with, and its insides."""

    platform: Platform
    database: str
    destinations: Destinations
    _kept: dict[str, Kept] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start these processes side by side, with the environment of this moment; those that run are stopped first."""
        with futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda kept: kept.stop(), [self._kept.pop(name) for name in names if name in self._kept]))
            started = pool.map(lambda name: Kept(name, self.platform), names)
            self._kept.update(zip(names, started, strict=True))

    def stop(self) -> None:
        """Stop every process."""
        with futures.ThreadPoolExecutor() as pool:
            list(pool.map(Kept.stop, self._kept.values()))

    @contextmanager
    def doomed(self, name: str, failpoint: str, folder: Path) -> Iterator[Path]:
        """Run the body while process `name` is to die at `failpoint`, once; yields the marker that says that it did."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FAILPOINT", failpoint)
            patch.setenv("FAILPOINT_DIR", str(folder))
            self.start(name)
            yield folder / failpoint

    @contextmanager
    def shortened(self, *names: str, **times: str) -> Iterator[None]:
        """Run the body while these processes have other times in their environment."""
        with pytest.MonkeyPatch.context() as patch:
            for variable, seconds in times.items():
                patch.setenv(variable, seconds)
            self.start(*names)
            yield
        self.start(*names)

    def kill(self, name: str) -> None:
        """Kill a process at this moment, with SIGKILL; nothing where it is down already."""
        if child := children.running(self.platform, name):
            child.send(signal.SIGKILL)

    def url(self, name: str) -> str:
        """Return where a process is reached."""
        return f"127.0.0.1:{self.platform.port(BY_NAME[name].port or 0)}"

    @property
    def sandbox_books(self) -> Path:
        """The provider's own database."""
        return self.platform.var / "sandbox.sqlite3"

    def seed_of(self, service: str) -> str:
        """Return a service's private key."""
        return Vault(self.platform).service_seed(service)


@contextmanager
def brought_up(folder: Path) -> Iterator[World]:
    """Bring all of it up; at the end, a killed run's too, nothing of it is left."""
    platform = Platform(var=folder / "var", offset=_free_block())
    platform.make_folders()
    destinations = Destinations()
    with pytest.MonkeyPatch.context() as patch, _database(platform) as url:
        auth.install(folder)
        patch.setenv("BOOKINGS_DATABASE_URL", url)
        patch.setenv("KAFKA_TOPIC_PREFIX", f"faults.{secrets.token_hex(4)}.")
        patch.setenv("PAYMENT_RECONCILE_SECONDS", "2")
        for variable in ("SERVICE_PRIVATE_KEYS", "SERVICE_PUBLIC_KEYS"):
            patch.delenv(variable, raising=False)
        with _neighbours(platform, destinations), own_topics():
            _migrate(platform)
            world = World(platform, url, destinations)
            try:
                world.start(*NAMES)
                yield world
            finally:
                world.stop()


@contextmanager
def _database(platform: Platform) -> Iterator[str]:
    """Make a database, of the run's template where there is one, and have it dropped, and what uses it stopped, in the end."""
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
def _neighbours(platform: Platform, destinations: Destinations) -> Iterator[None]:
    """Serve users_service's and destinations_service's parts where bookings_service asks for them."""
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
    """Return an offset whose ports are free, below those that the system hands out by itself."""
    offsets = random.sample(range(10_000, 24_000, 100), 140)
    return next(offset for offset in offsets if all(ports.free(port + offset) for port in PORTS))


def has_died(marker: Path) -> bool:
    """Return whether the failpoint was reached and the process that reached it is gone."""
    return marker.exists() and children.start_mark(int(marker.read_text().split()[1])) is None


def is_marked(marker: Path, name: str) -> bool:
    """Return whether it was process `name` that reached the failpoint."""
    return marker.read_text().split()[0] == name
