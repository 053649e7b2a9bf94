"""Test doubles of users_service and destinations_service over real gRPC, and the payment sandbox's process."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import httpx
from grpc_status import rpc_status

from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2, destinations_pb2_grpc
from contracts.travel.users.v1 import users_pb2, users_pb2_grpc
from shared.errors import DomainError, NotFound
from shared.ids import uuid7
from shared.rpc.mapping import ts
from shared.rpc.status import status_of
from shared.testing import eventually
from shared.text import Locale

SECRET = "the-webhook-secret-of-the-tests"
ROOT = Path(__file__).resolve().parents[2]


def _refuse(context: grpc.ServicerContext, error: DomainError) -> None:
    context.abort_with_status(rpc_status.to_status(status_of(error, Locale.EN)))


@dataclass
class Users(users_pb2_grpc.UsersServiceServicer):
    """A users_service in which everybody but the `closed` accounts may book, and `staff` has any password.

    If `unavailable`, it answers like an overloaded service.
    """

    closed: set[str] = field(default_factory=set)
    unavailable: bool = False
    calls: int = 0
    staff: users_pb2.Staff = field(default_factory=users_pb2.Staff)
    before_answer: Callable[[], object] = lambda: None

    def CheckTraveller(self, request: Any, context: grpc.ServicerContext) -> users_pb2.CheckTravellerResponse:
        self.calls += 1
        self.before_answer()
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "unavailable")
        if request.traveller_id in self.closed:
            _refuse(context, NotFound())
        return users_pb2.CheckTravellerResponse()

    def AuthenticateStaff(self, request: Any, context: grpc.ServicerContext) -> users_pb2.AuthenticateStaffResponse:
        return users_pb2.AuthenticateStaffResponse(staff=self.staff)

    def GetStaff(self, request: Any, context: grpc.ServicerContext) -> users_pb2.GetStaffResponse:
        return users_pb2.GetStaffResponse(staff=self.staff)


@dataclass
class Destinations(destinations_pb2_grpc.DestinationsServiceServicer):
    """A destinations_service with the departures that the test publishes."""

    departures: dict[str, destinations_pb2.GetDepartureResponse] = field(default_factory=dict)
    unavailable: bool = False

    def publish(
        self,
        *,
        capacity: int = 10,
        starts_in: timedelta = timedelta(days=60),
        adult: int = 50_000,
        child: int = 30_000,
        version: int = 1,
        status: "destinations_pb2.DepartureStatus.ValueType" = destinations_pb2.DEPARTURE_STATUS_OPEN,
        policy: tuple[tuple[int, int], ...] = ((30, 100), (7, 50)),
        departure_id: UUID | None = None,
    ) -> UUID:
        """Put a departure into the catalogue and return its id."""
        departure_id = departure_id or uuid7()
        starts_at = datetime.now(UTC) + starts_in
        self.departures[str(departure_id)] = destinations_pb2.GetDepartureResponse(
            departure=destinations_pb2.Departure(
                id=str(departure_id), trip_id=str(uuid7()), starts_at=ts(starts_at), ends_at=ts(starts_at + timedelta(days=5)),
                time_zone="Asia/Tokyo", status=status, capacity=capacity, version=version, tax_basis_points=2_000,
                adult_price=common_pb2.Money(minor_units=adult, currency_code="EUR"),
                child_price=common_pb2.Money(minor_units=child, currency_code="EUR"),
            ),
            trip=destinations_pb2.Trip(
                title=common_pb2.LocalizedText(en="Kyoto in autumn", fr="Kyoto en automne"),
                cancellation_policy=[
                    destinations_pb2.CancellationRule(days_before=days, refund_percent=percent) for days, percent in policy
                ],
            ),
        )  # fmt: skip
        return departure_id

    def GetDeparture(self, request: Any, context: grpc.ServicerContext) -> destinations_pb2.GetDepartureResponse:
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "unavailable")
        if request.id not in self.departures:
            _refuse(context, NotFound())
        return self.departures[request.id]

    def BatchGetDepartures(
        self, request: Any, context: grpc.ServicerContext
    ) -> destinations_pb2.BatchGetDeparturesResponse:
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "unavailable")
        known = [self.departures[id_].departure for id_ in request.ids if id_ in self.departures]
        return destinations_pb2.BatchGetDeparturesResponse(departures=known)


@contextmanager
def served(users: Users, destinations: Destinations) -> Iterator[str]:
    """Serve both on a free port and yield the address."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    users_pb2_grpc.add_UsersServiceServicer_to_server(users, server)
    destinations_pb2_grpc.add_DestinationsServiceServicer_to_server(destinations, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait(5)


@contextmanager
def sandbox(folder: Path, *, secret: str) -> Iterator[str]:
    """Run the payment sandbox in its own process and yield its address. Each payment says where its webhook goes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    environment = {
        **os.environ,
        "PAYMENT_SANDBOX_URL": url,
        "PAYMENT_WEBHOOK_URL": "http://127.0.0.1:9/",
        "PAYMENT_WEBHOOK_SECRET": secret,
        "SANDBOX_STORE": str(folder / "sandbox.sqlite3"),
    }
    process = subprocess.Popen([sys.executable, "-m", "payment_sandbox"], cwd=ROOT, env=environment)

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        eventually(answers, 20.0)
        yield url
    finally:
        process.terminate()
        process.wait(10)
