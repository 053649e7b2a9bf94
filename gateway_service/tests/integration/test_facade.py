"""The REST façade: it forwards only public paths and listed headers, and serves one OpenAPI document."""

import json
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from django.conf import settings

from gateway_service.gateway.rest import openapi as openapi_view
from gateway_service.gateway.rest.routes import route
from gateway_service.gateway.transport import jwks_endpoint
from gateway_service.tests.serving import serving

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/api/v1/bookings/{reference}/": {
            "get": {"security": [{"jwt": []}], "responses": {"200": {"$ref": "#/components/schemas/Thing"}}}
        },
        "/api/v1/internal/": {"get": {}},
        "/api/v1/destinations/": {"get": {}, "post": {}},
        "/health/live": {"get": {}},
    },
}


@dataclass
class Upstream:
    """A service that records each request and answers it with JSON, or with its OpenAPI document."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    documents: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        self.seen.append(
            {
                "peer": scope["client"][0],
                "method": scope["method"],
                "path": scope["path"],
                "query": query,
                "headers": headers,
                "body": body,
            }
        )
        answer, status = json.dumps({"path": scope["path"]}).encode(), 201 if scope["method"] == "POST" else 200
        if scope["path"] == "/api/schema/":
            self.documents += 1
            kind = {"properties": {"n": {"const": self.documents}}}
            answer = json.dumps(
                {**DOCUMENT, "components": {"schemas": {"Thing": kind}, "securitySchemes": {"jwt": {}}}}
            ).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"set-cookie", b"session=1"),
                    (b"server", b"secret"),
                    (b"retry-after", b"7"),
                    (b"x-internal", b"1"),
                ],
            }
        )
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    upstream = Upstream()
    async with serving(upstream) as (_, address):
        url = f"http://{address}"
        monkeypatch.setattr(settings, "SERVICE_URLS", dict.fromkeys(settings.SERVICE_URLS, url))
        monkeypatch.setattr(settings, "JWKS_URL", f"{url}/.well-known/jwks.json")
        monkeypatch.setattr(openapi_view, "_cached", openapi_view._Cached())
        monkeypatch.setattr(jwks_endpoint, "_cached", jwks_endpoint._Cached())
        yield upstream


async def test_a_public_path_is_forwarded_unchanged_to_its_service(
    client: httpx.AsyncClient, service: Upstream
) -> None:
    response = await client.post(
        "/api/v1/bookings/?a=1&b=%C3%A9",
        content=b'{"quote": "x"}',
        headers={"Content-Type": "application/json", "Idempotency-Key": "k", "Authorization": "Bearer t"},
    )

    (seen,) = service.seen
    assert (seen["method"], seen["path"], seen["query"], seen["body"]) == (
        "POST", "/api/v1/bookings/", "a=1&b=%C3%A9", b'{"quote": "x"}'
    )  # fmt: skip
    assert seen["headers"]["idempotency-key"] == "k"
    assert seen["headers"]["authorization"] == "Bearer t"
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.9"
    assert seen["headers"]["host"] == httpx.URL(settings.PUBLIC_URL).netloc.decode()
    assert seen["headers"]["x-request-id"] == response.headers["X-Request-Id"]
    assert (response.status_code, response.json()) == (201, {"path": "/api/v1/bookings/"})
    assert response.headers["Retry-After"] == "7"


async def test_a_header_that_ends_in_a_space_is_forwarded_without_it(
    client: httpx.AsyncClient, service: Upstream
) -> None:
    """Seen failing (503, because the HTTP client refuses such a value) with the value forwarded as it came."""
    response = await client.get("/api/v1/destinations/", headers={"Authorization": "Bearer "})

    (seen,) = service.seen
    assert response.status_code == 200
    assert seen["headers"]["authorization"] == "Bearer"


async def test_headers_that_claim_an_identity_are_not_forwarded(client: httpx.AsyncClient, service: Upstream) -> None:
    """Seen failing with all headers forwarded."""
    claims = {
        "X-User-Id": "1", "X-Remote-User": "admin", "X-HTTP-Method-Override": "DELETE", "Cookie": "sessionid=1",
        "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example", "X-Service-Credential": "x",
        "Proxy-Authorization": "x", "Connection": "X-Evil", "X-Evil": "1", "Forwarded": "for=1.2.3.4",
    }  # fmt: skip

    response = await client.get("/api/v1/destinations/", headers=claims)

    (seen,) = service.seen
    assert seen["method"] == "GET"
    assert not {name.lower() for name in claims} & set(seen["headers"]) - {"x-forwarded-for", "connection"}
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.9"
    assert not {"set-cookie", "x-internal"} & set(response.headers)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have only 127.0.0.1")
async def test_the_facade_calls_from_an_address_of_its_own(
    client: httpx.AsyncClient, service: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a service can believe the gateway, and no other program on the machine, about the client's address.

    Seen failing (127.0.0.1) without `local_address`.
    """
    monkeypatch.setattr(settings, "FACADE_SOURCE_ADDRESS", "127.0.0.2")

    await client.get("/api/v1/destinations/", headers={"X-Forwarded-For": "1.2.3.4"})

    [seen] = service.seen
    assert (seen["peer"], seen["headers"]["x-forwarded-for"]) == ("127.0.0.2", "127.0.0.9")


async def test_a_cookie_of_a_service_reaches_no_other_request(client: httpx.AsyncClient, service: Upstream) -> None:
    """Seen failing (`Cookie: session=1` in the second request) without the cookie policy of the HTTP client."""
    await client.get("/api/v1/destinations/")
    await client.get("/api/v1/destinations/")

    assert [seen["headers"].get("cookie") for seen in service.seen] == [None, None]


@pytest.mark.parametrize(
    "path",
    [
        "api/v1/admin/", "api/v1/", "api/v1", "api/v2/bookings/", "api/v1/staff/", "api/v1/../admin/",
        "api/v1/bookings/../../admin/", "api/v1/bookings//x", "api/v1/bookings/%2e%2e/admin", "photos/", "admin/",
        "api/v1/bookings/\r\nX: 1", "api/v1/bookings/x?y", "api/v1/bookings/é",
    ],
)  # fmt: skip
def test_other_paths_are_not_public(path: str) -> None:
    assert route(path) is None


async def test_catalogue_writes_are_not_public(client: httpx.AsyncClient, service: Upstream) -> None:
    responses = [
        await client.request(method, "/api/v1/destinations/x/") for method in ("POST", "PATCH", "PUT", "DELETE")
    ]

    assert {answer.status_code for answer in responses} == {405}
    assert responses[0].headers["Allow"] == "GET, HEAD"
    assert service.seen == []


async def test_a_webhooks_body_and_signature_are_forwarded_unchanged(
    client: httpx.AsyncClient, service: Upstream
) -> None:
    body = b'{ "id": "evt_1",  "amount": 1 }\n'
    headers = {"X-Payment-Signature": "t=1,v1=ab", "Content-Type": "application/json"}

    await client.post("/api/v1/payments/webhooks/sandbox/", content=body, headers=headers)

    (seen,) = service.seen
    assert (seen["path"], seen["body"]) == ("/api/v1/payments/webhooks/sandbox/", body)
    assert seen["headers"]["x-payment-signature"] == "t=1,v1=ab"


async def test_an_unavailable_service_is_503_with_retry_after(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SERVICE_URLS", dict.fromkeys(settings.SERVICE_URLS, "http://127.0.0.1:1"))

    response = await client.get("/api/v1/destinations/")
    ready = await client.get("/health/ready")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json()["code"] == "UPSTREAM_UNAVAILABLE"
    assert ready.status_code == 200
    assert set(ready.json()["services"].values()) == {False}


async def test_the_document_contains_only_public_paths(client: httpx.AsyncClient, service: Upstream) -> None:
    document = (await client.get("/api/schema/?format=json")).json()
    again = (await client.get("/api/schema/")).json()

    assert set(document["paths"]) == {"/api/v1/bookings/{reference}/", "/api/v1/destinations/"}
    assert set(document["paths"]["/api/v1/destinations/"]) == {"get"}
    operation = document["paths"]["/api/v1/bookings/{reference}/"]["get"]
    assert operation["security"] == [{"jwt": []}]
    reference = operation["responses"]["200"]["$ref"].rsplit("/", 1)[-1]
    assert reference in document["components"]["schemas"]
    assert set(document["components"]["schemas"]) == {
        "Thing", "DestinationsThing", "BookingsThing", "NotificationsThing"
    }  # fmt: skip
    assert again == document
    assert service.documents == 4


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("?format=json", "application/json", "application/json"),
        ("?format=json", "text/html", "application/json"),
        ("", "*/*", "application/json"),
        ("", "application/yaml", "application/yaml"),
        ("", "application/vnd.oai.openapi", "application/vnd.oai.openapi"),
    ],
)
async def test_the_document_comes_in_the_accepted_format(
    query: str, accept: str, kind: str, client: httpx.AsyncClient, service: Upstream
) -> None:
    """Seen failing with one media type for every answer."""
    answer = await client.get(f"/api/schema/{query}", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.json()["openapi"] == "3.1.0"


async def test_the_gateway_serves_swagger_ui_and_its_assets_itself(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs/")
    assets = re.findall(r'(?:src|href)="([^"]*)"', page.text)

    assert len(assets) == 4
    for asset in assets:
        assert asset.startswith("/static/")
        assert (await client.get(asset)).status_code == 200
    for path in ("/static/admin/css/base.css", "/static/gateway/../../settings.py", "/static/", "/static/gateway/x"):
        assert (await client.get(path)).status_code == 404


async def test_the_jwks_is_served_while_users_service_is_unavailable(
    client: httpx.AsyncClient, service: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await client.get("/.well-known/jwks.json")
    monkeypatch.setattr(settings, "JWKS_URL", "http://127.0.0.1:1/")
    fresh = await client.get("/.well-known/jwks.json")
    jwks_endpoint._cached.until = 0
    stale = await client.get("/.well-known/jwks.json")

    assert first.status_code == 200
    assert first.content == fresh.content == stale.content
    assert len(service.seen) == 1
