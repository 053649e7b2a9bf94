"""Times do not tell whether an address has an account, has a pending registration, or is unknown.

Each operation is called over a real server and real sockets, for the three kinds of address in random order. A
permutation test must not find a difference, and must find one when known addresses take longer.

PROOFS=whole (`./manage_all.py test --proofs`) makes 400 calls per operation and kind, and plants 20 ms. Every other run
makes 12 calls and plants 200 ms.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any, Final

import grpc
import pytest

from contracts.travel.users.v1 import users_pb2 as pb
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub, add_UsersServiceServicer_to_server
from shared.auth import testing as auth
from shared.rpc.testing import running
from users_service.accounts import limits
from users_service.accounts.models import User
from users_service.accounts.rpc.servicer import UsersServicer
from users_service.tests.enumeration.permutation import p_value
from users_service.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

WHOLE: Final = os.environ.get("PROOFS") == "whole"
RUNS: Final = 400 if WHOLE else 12
OPERATIONS: Final = ("Register", "ResendVerification", "RequestPasswordReset", "Login")
# Four operations are tested, so each may err in a quarter of 1 %. The reduced run has little power and runs often.
ALARM: Final = 0.01 / len(OPERATIONS) if WHOLE else 0.0005
PLANTED_SECONDS: Final = 0.02 if WHOLE else 0.2


def request_of(operation: str, address: str) -> Any:
    device = pb.ClientDevice(ip_address="198.51.100.7")
    if operation == "Register":
        return pb.RegisterRequest(
            email=address, password=PASSWORD, first_name="Ann", last_name="O’Hara", accept_terms=True,
            ip_address="198.51.100.7",
        )  # fmt: skip
    if operation == "ResendVerification":
        return pb.ResendVerificationRequest(email=address, ip_address="198.51.100.7")
    if operation == "RequestPasswordReset":
        return pb.RequestPasswordResetRequest(email=address, device=device)
    return pb.LoginRequest(email=address, password="not the password of anybody", ip_address="198.51.100.7")


@pytest.fixture
def stub(published: None, settings: Any) -> Iterator[UsersServiceStub]:
    for name in (
        "LOGIN_LIMIT_ACCOUNT",
        "LOGIN_LIMIT_NETWORK",
        "MAIL_REQUEST_LIMIT_NETWORK",
        "MAIL_REQUEST_LIMIT_ADDRESS",
    ):
        setattr(settings, name, 0)
    with (
        running(lambda server: add_UsersServiceServicer_to_server(UsersServicer(), server)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield UsersServiceStub(channel)


def times_of(stub: UsersServiceStub, operation: str) -> dict[str, list[float]]:
    """Return the seconds of RUNS calls for each kind of address, called one after another in random order."""
    UserFactory(email="known@example.org")
    credential = [("x-service-credential", auth.credential_of("gateway", "users"))]
    addresses = {
        "known": lambda number: "known@example.org",
        "pending": lambda number: "pending@example.org",
        "unknown": lambda number: f"unknown-{number}@example.org",
    }

    def seconds(operation: str, address: str) -> float:
        start = time.perf_counter()
        with suppress(grpc.RpcError) if operation == "Login" else nullcontext():  # nobody has this password
            getattr(stub, operation)(request_of(operation, address), metadata=credential, timeout=20)
        return time.perf_counter() - start

    seconds("Register", "pending@example.org")
    for address in ("known@example.org", "pending@example.org", "warm-up@example.org") * 2:
        seconds(operation, address)
    order, times = list(addresses), {kind: [] for kind in addresses}
    draw = random.Random(len(operation))
    for number in range(RUNS):
        draw.shuffle(order)
        for kind in order:
            times[kind].append(seconds(operation, addresses[kind](number)))
    return times


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_time_of_an_answer_tells_nothing_about_the_address(stub, operation):
    """The planted delay of the next test is the proof that a difference would be found."""
    times = times_of(stub, operation)

    assert p_value(times) >= ALARM, {kind: sorted(values)[len(values) // 2] for kind, values in times.items()}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_delay_for_known_addresses_is_found(stub, operation, monkeypatch):
    """A delay for addresses that have an account is what an attacker would look for."""
    name = "before_sign_in" if operation == "Login" else "before_mail"
    real = getattr(limits, name)

    def slow(*kind: str, email: str, ip_address: str) -> None:
        if User.objects.filter(email=email).exists():
            time.sleep(PLANTED_SECONDS)
        real(*kind, email=email, ip_address=ip_address)

    monkeypatch.setattr(limits, name, slow)

    assert p_value(times_of(stub, operation)) < 0.01
