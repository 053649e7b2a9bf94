"""Requests that the fuzzer found. Each failed once, and is refused or answered now."""

import asyncio
from typing import Any

import httpx
import pytest

BODY = b'{"query": "{ me { id } }"}'
UPGRADE = (
    b"%s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)


@pytest.mark.parametrize("directive", ["@skip(if: $late)", "@include(if: $late)"])
async def test_a_subscription_under_a_condition_by_variable_is_refused(
    directive: str, client: httpx.AsyncClient
) -> None:
    """graphql-core raises in its own validation. Seen failing (500) if `_validated` does not catch the GraphQLError."""
    query = f'subscription ($late: Boolean!) {{ bookingUpdated(reference: "A") {directive} {{ event {{ type }} }} }}'

    response = await client.post("/graphql", json={"query": query, "variables": {"late": False}})

    body: Any = response.json()
    assert response.status_code == 400
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("body", [BODY, b""], ids=["with a body", "without a body"])
async def test_a_post_that_asks_for_a_websocket_is_refused(address: str, body: bytes) -> None:
    """uvicorn cannot begin a handshake for a POST, and waits.

    Seen failing (no answer within 5 s) if LimitedProtocol does not look at `handshake_initiated`.
    """
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    writer.write(UPGRADE % (b"POST /graphql", len(body), body))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n"), head
