"""Fixtures of the contract tests: a real server, and a person who is signed in."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from contracts.travel.users.v1 import users_pb2 as pb
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub, add_UsersServiceServicer_to_server
from shared.auth import testing as auth
from shared.rpc.testing import running
from users_service.accounts.models import User
from users_service.accounts.rpc.servicer import UsersServicer
from users_service.tests.factories import PASSWORD, UserFactory

Ask = Callable[..., Any]


@pytest.fixture
def ask(published: None) -> Iterator[Ask]:
    """Return a function that calls a method as `caller`. A refusal is returned as (status, details)."""
    with (
        running(lambda server: add_UsersServiceServicer_to_server(UsersServicer(), server)) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = UsersServiceStub(channel)

        def call(method: str, request: Any, *, caller: str = "gateway", token: str = "") -> Any:
            metadata = [("x-service-credential", auth.credential_of(caller, "users"))] if caller else []
            if token:
                metadata.append(("authorization", f"Bearer {token}"))
            try:
                return getattr(stub, method)(request, metadata=metadata, timeout=10)
            except grpc.RpcError as refused:
                details = dict(refused.trailing_metadata()).get("grpc-status-details-bin", b"")
                return refused.code().name, details

        yield call


@pytest.fixture
def person() -> User:
    return UserFactory(email="ann@example.org")


@pytest.fixture
def token(ask: Ask, person: User) -> str:
    request = pb.LoginRequest(email="ANN@example.org", password=PASSWORD, ip_address="198.51.100.7", user_agent="a\nb")
    return str(ask("Login", request).tokens.access_token)
