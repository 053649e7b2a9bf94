"""Every REST operation of every service, with each kind of missing, wrong and foreign credential.

The operations come from the services' OpenAPI documents, so that a new one is walked too.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.journeys.api import Client
from tests.journeys.travellers import Traveller
from tests.security.bad_tokens import bad_tokens

SERVICES = ("users", "destinations", "bookings", "notifications")
# Open to everybody, on purpose. Every other operation must declare that it needs a token.
PUBLIC = {
    "users": {
        "POST /api/v1/auth/register/", "POST /api/v1/auth/verify-email/", "POST /api/v1/auth/resend-verification/",
        "POST /api/v1/auth/login/", "POST /api/v1/auth/refresh/", "POST /api/v1/auth/logout/",
        "POST /api/v1/auth/request-password-reset/", "POST /api/v1/auth/reset-password/",
        "POST /api/v1/auth/confirm-email-change/", "POST /api/v1/auth/undo-email-change/",
        "POST /api/v1/auth/disown-change/", "POST /api/v1/auth/describe-link/",
    },
    "destinations": {
        f"GET /api/v1/{path}"
        for path in (
            "destinations/", "destinations/{slug}/", "trips/", "trips/{slug}/", "trips/{slug}/departures/",
            "departures/{departure_id}/", "destinations/{slug}/prices/", "destinations/{slug}/photos/",
            "destinations/{slug}/visiting-times/", "trips/{slug}/content/", "search/", "suggest/", "tags/",
        )
    },
    "bookings": {"POST /api/v1/payments/webhooks/{provider}/"},
    "notifications": {"GET /api/v1/invoices/{id}/pdf/"},  # by a signed link, or by a token
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a service's OpenAPI document."""

    service: str
    method: str
    path: str
    is_guarded: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def url(self) -> str:
        """Return its address, with ids that nobody has."""
        return os.environ[f"{self.service.upper()}_URL"] + re.sub(r"{[^}]+}", lambda _: str(uuid4()), self.path)


def operations(service: str) -> list[Operation]:
    """Return every operation of a service, as its OpenAPI document declares it."""
    address = f"{os.environ[f'{service.upper()}_URL']}/api/schema/?format=json"
    document: dict[str, Any] = httpx.get(address, headers={"Accept": "application/json"}, timeout=20).json()
    return [
        Operation(service, verb.upper(), path, _is_guarded(operation))
        for path, item in document["paths"].items()
        for verb, operation in item.items()
        if verb in {"get", "put", "post", "patch", "delete"}
    ]


def _is_guarded(operation: dict[str, Any]) -> bool:
    """Return whether the operation needs a token: it lists a scheme, and not also `{}`, which means none."""
    security = operation.get("security", [])
    return bool(security) and {} not in security


@pytest.fixture(scope="module")
def rest() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


@pytest.mark.parametrize("service", SERVICES)
def test_only_the_listed_operations_are_open(service):
    """Seen failing with an operation that was open and not listed."""
    assert {operation.name for operation in operations(service) if not operation.is_guarded} == PUBLIC[service]


@pytest.mark.parametrize("service", SERVICES)
def test_a_guarded_operation_refuses_every_missing_and_bad_token(service, rest, traveller: Traveller):
    """Seen failing for a view that declared a token and answered everybody."""
    headers = {
        "none": {},
        "an identity in a header": {"X-User-Id": "1", "X-Remote-User": "admin", "Remote-User": "admin"},
        "another scheme": {"Authorization": f"Token {traveller.token}"},
        "a password": {"Authorization": "Basic YWRtaW46YWRtaW4="},
        "a cookie": {"Cookie": f"travel_refresh={traveller.refresh_token}; access_token={traveller.token}"},
        **{kind: {"Authorization": f"Bearer {token}"} for kind, token in bad_tokens(traveller).items()},
    }
    accepted = []
    for operation in filter(lambda operation: operation.is_guarded, operations(service)):
        for kind, sent in headers.items():
            answer = rest.request(operation.method, operation.url(), headers=sent)
            problem = answer.headers.get("content-type", "").startswith("application/problem+json")
            if (answer.status_code, problem, "www-authenticate" in answer.headers) != (401, True, True):
                accepted.append((operation.name, kind, answer.status_code))

    assert accepted == []


@pytest.mark.parametrize("service", SERVICES)
def test_an_operation_with_somebody_elses_or_no_object_is_not_found(service, rest, stranger: Traveller):
    """A traveller's valid token opens only their own objects, and no operation of staff."""
    wrong = []
    for operation in filter(lambda operation: "{" in operation.path and operation.is_guarded, operations(service)):
        answer = rest.request(
            operation.method, operation.url(), json={}, headers={"Authorization": f"Bearer {stranger.token}"}
        )
        if answer.status_code not in {400, 403, 404}:
            wrong.append((operation.name, answer.status_code, answer.text[:200]))

    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_facade_forwards_no_operation_of_staff(service, visitor: Client):
    """Staff call their service itself: behind the gateway their paths do not exist."""
    public = visitor.http.get("/api/schema/").json()["paths"]

    assert not [path for path in public if "/staff/" in path]
