"""Cross-origin requests: pages of CORS_ORIGINS may call the gateway, pages of other sites may not."""

import os
import subprocess
import sys

import httpx
import pytest
from django.test import override_settings

from gateway_service.tests.backends import Backends

ME = {"query": "{ me { id } }"}
REFRESH = {"query": "mutation { refreshTokens { accessToken errors { code } } }"}
PAGE = "https://app.travel.example"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
listed = override_settings(CORS_ORIGINS=frozenset({PAGE}))


def cors_headers(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control")}


async def test_no_page_is_listed_unless_it_is_configured(client: httpx.AsyncClient) -> None:
    asked = await client.options("/graphql", headers={"Origin": PAGE, **ASKS})
    answered = await client.post("/graphql", json=ME, headers={"Origin": PAGE})

    assert (asked.status_code, asked.headers["Allow"]) == (405, "POST")
    assert cors_headers(asked) == cors_headers(answered) == {}
    assert "Vary" not in answered.headers


@pytest.mark.parametrize("path", ["/graphql", "/api/v1/trips/"])
async def test_a_listed_page_may_ask_and_another_may_not(client: httpx.AsyncClient, path: str) -> None:
    with listed:
        asked = await client.options(path, headers={"Origin": PAGE, **ASKS})
        other = await client.options(path, headers={"Origin": "https://evil.example", **ASKS})
        no_question = await client.options(path, headers={"Origin": PAGE})

    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["Access-Control-Allow-Origin"] == PAGE
    assert asked.headers["Access-Control-Allow-Credentials"] == "true"
    assert "content-type" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["Vary"] == "origin"
    assert [other.status_code, no_question.status_code] == [405, 405]
    assert cors_headers(other) == {}


async def test_a_listed_page_reads_answers_and_refusals(client: httpx.AsyncClient) -> None:
    """An answer to a page that is not listed says too that it depends on the origin, because of caches."""
    with listed:
        answered = await client.post("/graphql", json=ME, headers={"Origin": PAGE})
        refused = await client.post("/graphql", json=ME, headers={"Origin": PAGE, "Authorization": "Bearer x"})
        by_rest = await client.get("/api/v1/unknown/", headers={"Origin": PAGE})
        other = await client.post("/graphql", json=ME, headers={"Origin": "https://evil.example"})
        form = await client.get("/verify-email", headers={"Origin": PAGE})

    assert [answered.status_code, refused.status_code, by_rest.status_code] == [200, 401, 404]
    for response in (answered, refused, by_rest):
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        assert "x-request-id" in response.headers["Access-Control-Expose-Headers"]
    assert cors_headers(other) == cors_headers(form) == {}
    assert other.headers["Vary"] == "origin"


async def test_a_listed_page_may_use_the_refresh_cookie(client: httpx.AsyncClient, backends: Backends) -> None:
    """Seen failing (FORBIDDEN for the listed page) with is_own_page instead of may_use_cookie."""
    sent = {"Cookie": "travel_refresh=refresh-1", "Sec-Fetch-Site": "same-site"}
    with listed:
        accepted = await client.post("/graphql", json=REFRESH, headers={**sent, "Origin": PAGE})
        refused = await client.post("/graphql", json=REFRESH, headers={**sent, "Origin": "https://evil.example"})

    assert accepted.json()["data"]["refreshTokens"] == {"accessToken": "access", "errors": []}
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert backends.calls["RefreshTokens"] == 1


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("", True),
        ("https://app.travel.example,http://localhost:3000", True),
        ("*", False),
        ("https://*.travel.example", False),
        ("app.travel.example", False),
        ("https://app.travel.example/", False),
        ("https://app.travel.example:443", False),
        ("HTTPS://App.travel.example", False),
        ("https://a:x", False),
        ("null", False),
    ],
)
def test_a_malformed_origin_ends_the_process_with_one_line(value: str, accepted: bool) -> None:
    code = "from gateway_service.config.origins import origins; print(len(origins('CORS_ORIGINS')))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "CORS_ORIGINS": value}, capture_output=True, text=True
    )

    assert (done.returncode == 0) is accepted
    assert accepted or ("CORS_ORIGINS is malformed" in done.stderr and done.stderr.count("\n") == 1)
