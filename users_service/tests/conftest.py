"""Fixtures of users_service: keys, empty rate limits, and a visitor who registers and signs in over REST."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
from django.db import OperationalError
from django.test import Client
from psycopg.errors import LockNotAvailable

from shared.auth import testing as auth
from shared.auth import tokens
from shared.outbox.models import OutboxEvent
from users_service.accounts import passwords, services, signing
from users_service.accounts.contracts import Device
from users_service.accounts.models import AuditEntry, LinkRequest, Session, User
from users_service.tests.factories import PASSWORD

T = TypeVar("T")


@pytest.fixture(scope="session", autouse=True)
def _service_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    auth.install(folder)
    return folder


@pytest.fixture(autouse=True)
def _fresh(valkey: redis.Redis) -> Iterator[None]:
    """Start each test with unused rate limits and no cached key."""
    signing.forget()
    passwords.forget()
    yield
    signing.forget()


@pytest.fixture
def published(_service_keys: Path, db: None) -> None:
    """Let this process verify access tokens with the keys that the service publishes."""
    (_service_keys / "jwks.json").write_text(json.dumps(signing.jwks()))
    tokens.key_set.cache_clear()


@dataclass
class Visitor:
    """A person with a REST client at a network address."""

    address: str = "198.51.100.7"

    def send(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Any:
        """Send JSON to `/api/v1/<path>`."""
        if token:
            headers["authorization"] = f"Bearer {token}"
        content = body if isinstance(body, bytes | str) else json.dumps(body or {})
        data = {} if method == "GET" else {"data": content, "content_type": "application/json"}
        send = getattr(Client(raise_request_exception=False), method.lower())
        return send(f"/api/v1/{path}", headers=headers, REMOTE_ADDR=self.address, **data)

    def login(self, email: str, password: str = PASSWORD, **headers: str) -> Any:
        """Sign in."""
        return self.send("POST", "auth/login/", {"email": email, "password": password}, **headers)

    def register(self, **changes: Any) -> Any:
        """Register with a valid request that has `changes`."""
        return self.send("POST", "auth/register/", registration(**changes))

    def refresh(self, token: str) -> Any:
        """Rotate a refresh token."""
        return self.send("POST", "auth/refresh/", {"refresh_token": token})


def registration(**changes: Any) -> dict[str, Any]:
    """Return the body of a valid registration that has `changes`."""
    return {
        "email": "ann@example.org",
        "password": PASSWORD,
        "first_name": "Ann",
        "last_name": "O’Hara",
        "locale": "FR",
        "accept_terms": True,
        **changes,
    }


def minted_token(request: LinkRequest) -> str:
    """Return a new token of the link, as the mail would have it."""
    return parse_qs(urlsplit(services.mint_link(request_id=request.id).url).query)["token"][0]


def newest_token(purpose: str) -> str:
    """Return a new token of the newest link of this purpose."""
    return minted_token(LinkRequest.objects.filter(purpose=purpose).order_by("-id")[0])


def purposes() -> list[str]:
    """Return the purposes of the mails requested so far, in order."""
    return list(LinkRequest.objects.order_by("id").values_list("purpose", flat=True))


def audited() -> list[str]:
    """Return the actions of the audit log, in order."""
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def open_session(user: User) -> Session:
    """Sign in with PASSWORD, and return the session."""
    services.log_in(email=user.email, password=PASSWORD, device=Device("198.51.100.7"))
    return Session.objects.filter(user=user).order_by("-id")[0]


def patiently(work: Callable[[], T]) -> T:
    """Do the work, and repeat it while a lock is not free in time, as a client that is told to come back."""
    while True:
        try:
            return work()
        except OperationalError as e:
            if not isinstance(e.__cause__, LockNotAvailable):
                raise


@pytest.fixture
def visitor() -> Visitor:
    """Return a visitor."""
    return Visitor()


@pytest.fixture
def events(db: None) -> Callable[[], list[str]]:
    """Return a function that gives the short names of the events written so far, in order."""
    return lambda: [
        kind.removeprefix("travel.users.").removesuffix(".v1")
        for kind in OutboxEvent.objects.order_by("id").values_list("type", flat=True)
    ]
