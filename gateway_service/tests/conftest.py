"""The gateway in front of four real gRPC servers in this process. A test sets their answers in a World."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest

from gateway_service.gateway.operation.profile_languages import profile_languages
from gateway_service.tests.backends import Backends
from gateway_service.tests.serving import close_connections, serving
from shared.auth import testing as keys
from shared.ids import uuid7
from shared.kafka import broadcast
from shared.rpc import guard


@pytest.fixture(scope="session", autouse=True)
def trusted_keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    keys.install(Path(tmp_path_factory.mktemp("keys")))


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    """Four services on real sockets.

    The audience of a credential is not checked, because this process can have only one service name.
    """

    def verify(token: str) -> str:
        name = jwt.decode(token, options={"verify_signature": False})["iss"]
        jwt.decode(token, keys.service_keys()[name].public_key(), algorithms=["EdDSA"], options={"verify_aud": False})
        return str(name)

    monkeypatch.setattr(guard, "verify_service_credential", verify)
    with ExitStack() as stack:
        served = Backends.start(stack)
        for name, server in served.servers.items():
            monkeypatch.setenv(f"{name.upper()}_GRPC", server.address)
        yield served


@pytest.fixture
async def client(backends: Backends) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the complete ASGI application."""
    from gateway_service.config.asgi import application

    profile_languages.clear()
    transport = httpx.ASGITransport(app=application, client=("127.0.0.9", 4321))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
    await close_connections()


@pytest.fixture
async def address(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Serve the gateway with uvicorn, as in production, and yield its address. Short polls let the feed stop soon."""
    from gateway_service.config.asgi import application

    monkeypatch.setattr(broadcast, "POLL_SECONDS", 0.1)
    async with serving(application) as (_, address):
        yield address
    await close_connections()


@pytest.fixture
def traveller_id() -> UUID:
    return uuid7()


@pytest.fixture
def token(traveller_id: UUID) -> str:
    return keys.mint_access_token(traveller_id)


@pytest.fixture
def ask(client: httpx.AsyncClient) -> Any:
    """Return a function that executes one operation and returns the JSON of the answer, `errors` included."""

    async def execute(
        query: str, *, token: str | None = None, headers: dict[str, str] | None = None, **variables: Any
    ) -> Any:
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        response = await client.post("/graphql", json={"query": query, "variables": variables}, headers=sent)
        return response.json()

    return execute


@pytest.fixture
def unavailable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a service unavailable: nothing listens at its address."""

    def make_unavailable(name: str) -> None:
        assert f"{name.upper()}_GRPC" in os.environ
        monkeypatch.setenv(f"{name.upper()}_GRPC", "127.0.0.1:1")

    return make_unavailable


os.environ.setdefault("GRPC_VERBOSITY", "NONE")
