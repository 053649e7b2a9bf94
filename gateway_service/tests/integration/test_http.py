"""HTTP requests: methods, content types, sizes, hosts, tokens and cookies."""

import base64
import hmac
import json
import time
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.test import override_settings

from gateway_service.tests.backends import Backends
from shared.auth import testing as keys
from shared.http.addresses import client_address

ME = "{ me { id } }"
LOGIN = """mutation($c: Boolean) { login(email: "a@b.c", password: "pw", useCookie: $c) {
  accessToken refreshToken expiresIn twoFactorRequired errors { code } } }"""
REFRESH = "mutation { refreshTokens { accessToken refreshToken errors { code } } }"


def unsigned(alg: str, traveller_id: UUID) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = jwt.decode(keys.mint_access_token(traveller_id), options={"verify_signature": False})
    return f"{part({'alg': alg, 'typ': 'JWT', 'kid': keys.KID})}.{part(claims)}."


async def test_an_invalid_token_is_401_and_never_anonymous(
    client: httpx.AsyncClient, traveller_id: UUID, backends: Backends
) -> None:
    """The answer is the same for every forged, foreign, expired or malformed token."""
    pem = keys.traveller_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    now = int(time.time())
    b64 = base64.urlsafe_b64encode
    head = b64(json.dumps({"alg": "HS256", "kid": keys.KID}).encode()).decode().rstrip("=")
    body = keys.mint_access_token(traveller_id).split(".")[1]
    forged = f"{head}.{body}." + b64(hmac.digest(pem, f"{head}.{body}".encode(), "sha256")).decode().rstrip("=")
    headers = [
        *(f"Bearer {unsigned(alg, traveller_id)}" for alg in ("none", "None", "NONE")),
        f"Bearer {forged}",
        f"Bearer {keys.mint_access_token(traveller_id, aud='other')}",
        f"Bearer {keys.mint_access_token(traveller_id, iss='other')}",
        f"Bearer {keys.mint_access_token(traveller_id, exp=None)}",
        f"Bearer {keys.mint_access_token(traveller_id, exp=now - 31)}",
        f"Bearer {keys.mint_access_token(traveller_id, token_use='refresh')}",
        "Bearer ",
        "Bearer x",
        "Basic YTpi",
        "x",
        "",
    ]

    answers = [
        await client.post("/graphql", json={"query": ME}, headers={"Authorization": header}) for header in headers
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.text for answer in answers} == {
        '{"errors":[{"message":"Sign in to continue.","extensions":{"code":"UNAUTHENTICATED"}}]}'
    }
    assert backends.calls.total() == 0


async def test_clocks_may_differ_by_the_leeway(ask: Any, traveller_id: UUID) -> None:
    token = keys.mint_access_token(traveller_id, exp=int(time.time()) - 20)

    assert (await ask(ME, token=token))["data"]["me"] is not None


async def test_only_post_and_json_are_accepted(client: httpx.AsyncClient, backends: Backends) -> None:
    """Otherwise a link or a form on another site could send a mutation."""
    mutation = 'mutation { login(email: "a", password: "b") { accessToken } }'
    by_get = await client.get("/graphql", params={"query": mutation})
    by_form = await client.post("/graphql", data={"query": mutation})
    by_text = await client.post(
        "/graphql", content=json.dumps({"query": mutation}), headers={"Content-Type": "text/plain"}
    )
    by_xml = await client.post("/graphql", content="<a/>", headers={"Content-Type": "application/xml"})
    multipart = await client.post("/graphql", files={"operations": b"{}"})

    assert (by_get.status_code, by_get.headers["Allow"]) == (405, "POST")
    assert [answer.status_code for answer in (by_form, by_text, by_xml, multipart)] == [415] * 4
    assert backends.calls.total() == 0


async def test_a_too_large_request_is_refused_before_its_end(client: httpx.AsyncClient) -> None:
    """A body of 50 MB in chunks, a body that declares 11 MB, and 100 kB of headers."""
    read = 0

    async def endless() -> Any:
        nonlocal read
        while read < 50_000_000:
            read += 1_000_000
            yield b" " * 1_000_000

    streamed = await client.post("/graphql", content=endless(), headers={"Content-Type": "application/json"})
    declared = await client.post("/graphql", content=b"{}", headers={"Content-Length": "11000000"})
    heads = await client.get("/health/live", headers={"X-Long": "x" * 100_000})

    assert (streamed.status_code, declared.status_code, heads.status_code) == (413, 413, 431)
    assert read <= 12_000_000
    assert declared.headers["Connection"] == heads.headers["Connection"] == "close"


async def test_unknown_hosts_are_refused_and_identity_headers_ignored(client: httpx.AsyncClient, ask: Any) -> None:
    """The Host header, headers that claim an identity, and a request of another site."""
    evil = await client.get("/health/live", headers={"Host": "evil.example"})
    claims = {"X-User-Id": "1", "X-Remote-User": "admin", "X-HTTP-Method-Override": "DELETE"}
    cross = await client.post("/graphql", json={"query": ME}, headers={"Origin": "https://evil.example", **claims})

    assert evil.status_code == 400
    assert cross.json() == {"data": {"me": None}}
    assert not [name for name in cross.headers if name.startswith("access-control")]


async def test_unknown_paths_and_failures_answer_problem_json(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = await client.get("/nope")

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("gateway_service.gateway.transport.graphql_http.prepare", broken)
    with override_settings(DEBUG=True):
        failed = await client.post("/graphql", json={"query": ME})

    assert (unknown.status_code, failed.status_code) == (404, 500)
    assert unknown.headers["Content-Type"] == failed.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in failed.text


async def test_no_script_reads_the_refresh_cookie_and_no_other_site_uses_it(
    client: httpx.AsyncClient, backends: Backends
) -> None:
    """Seen failing (a new token for the other site) without the check of cookie_allowed in refreshTokens."""
    with override_settings(COOKIES_SECURE=True):
        login = await client.post("/graphql", json={"query": LOGIN, "variables": {"c": True}})
    payload, cookie = login.json()["data"]["login"], login.headers["Set-Cookie"]
    sent = {"Cookie": "travel_refresh=refresh-1"}
    own = settings.PUBLIC_URL

    refused = [
        await client.post("/graphql", json={"query": REFRESH}, headers={**sent, **more})
        for more in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})
    ]
    accepted = await client.post("/graphql", json={"query": REFRESH}, headers={**sent, "Origin": own})

    assert payload == {
        "accessToken": "access", "refreshToken": None, "expiresIn": 300, "twoFactorRequired": False, "errors": []
    }  # fmt: skip
    assert {part.strip() for part in cookie.split(";")} >= {
        "travel_refresh=refresh-1", "HttpOnly", "SameSite=Strict", "Secure", "Path=/graphql"
    }  # fmt: skip
    assert {answer.json()["errors"][0]["extensions"]["code"] for answer in refused} == {"FORBIDDEN"}
    assert accepted.json()["data"]["refreshTokens"] == {"accessToken": "access", "refreshToken": None, "errors": []}
    assert "travel_refresh=refresh-1" in accepted.headers["Set-Cookie"]
    assert backends.calls["RefreshTokens"] == 1


@pytest.mark.parametrize(
    "query",
    [
        REFRESH,
        'mutation { login(email: "a@b.c", password: "pw", useCookie: true) { accessToken } }',
        "mutation { logout { ok } }",
        "mutation { logout(everywhere: true) { ok } }",
    ],
)
async def test_an_event_stream_never_uses_the_cookie(query: str, client: httpx.AsyncClient, backends: Backends) -> None:
    """Seen failing (the token was rotated, and the cookie kept the old one) without check_cookies_can_be_set."""
    sent = {"Accept": "text/event-stream", "Cookie": "travel_refresh=refresh-1", "Origin": settings.PUBLIC_URL}

    response = await client.post("/graphql", json={"query": query}, headers=sent)

    assert '"reason":"COOKIE_NOT_POSSIBLE"' in response.text
    assert '"code":"BAD_USER_INPUT"' in response.text
    assert "Set-Cookie" not in response.headers
    assert backends.calls.total() == 0


async def test_an_event_stream_takes_a_token_of_the_argument(client: httpx.AsyncClient, backends: Backends) -> None:
    query = 'mutation { refreshTokens(refreshToken: "refresh-0") { refreshToken } }'

    response = await client.post("/graphql", json={"query": query}, headers={"Accept": "text/event-stream"})

    assert '"refreshToken":"refresh-1"' in response.text
    assert backends.calls["RefreshTokens"] == 1


async def test_no_cookie_is_set_without_use_cookie(client: httpx.AsyncClient) -> None:
    login = await client.post("/graphql", json={"query": LOGIN})

    assert login.json()["data"]["login"]["refreshToken"] == "refresh-1"
    assert "Set-Cookie" not in login.headers


async def test_services_receive_the_peers_address(client: httpx.AsyncClient, backends: Backends) -> None:
    """A header of the client does not change its address."""
    await client.post("/graphql", json={"query": LOGIN}, headers={"X-Forwarded-For": "1.2.3.4"})

    (_, request, _) = next(request for request in backends.world.requests if request[0] == "Login")
    assert request.ip_address == "127.0.0.9"


def test_only_trusted_proxies_may_name_the_client() -> None:
    with override_settings(TRUSTED_PROXIES=(ip_network("10.0.0.0/8"),)):
        assert client_address(peer="10.0.0.1", forwarded_for="9.9.9.9, 8.8.8.8, 10.0.0.2") == "8.8.8.8"
        assert client_address(peer="7.7.7.7", forwarded_for="9.9.9.9") == "7.7.7.7"
        assert client_address(peer="10.0.0.1", forwarded_for="evil\r\n") == "10.0.0.1"
        assert client_address(peer="10.0.0.1", forwarded_for="") == "10.0.0.1"
        assert client_address(peer="::ffff:10.0.0.1", forwarded_for="::ffff:8.8.8.8") == "8.8.8.8"
        assert client_address(peer="", forwarded_for="8.8.8.8") == ""
