"""Clients that send a request slowly, or headers without an end, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest

from gateway_service.gateway.transport import event_stream, http_protocol
from gateway_service.gateway.transport.one_write import OneWrite
from gateway_service.tests.backends import Backends
from gateway_service.tests.live_client import UPDATES, bearer, connected
from gateway_service.tests.serving import close_connections, serving

HEAD = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 27\r\n"
BODY = b'{"query": "{ me { id } }"} '
PACE = 0.05
LIMIT = 0.6


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", LIMIT / 2)
    monkeypatch.setattr(http_protocol, "REQUEST_SECONDS", LIMIT)


@asynccontextmanager
async def socket_to(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()  # else the gateway would wait for this connection when it stops


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, byte: bytes) -> bytes:
    """Send `byte` again and again until the gateway closes the connection. Return its answer."""
    answer = asyncio.ensure_future(reader.read())
    for _ in range(200):
        await asyncio.wait([answer], timeout=PACE)
        if answer.done():
            break
        writer.write(byte)
    return await asyncio.wait_for(answer, 1)


@pytest.mark.parametrize(
    ("sent", "byte"),
    [(HEAD + b"X-Slow: ", b"x"), (HEAD, b"X: y\r\n"), (b"P", b""), (HEAD + b"\r\n", b" "), (HEAD + b"\r\n{", b"")],
    ids=["one header", "more headers", "silent head", "body", "silent body"],
)
async def test_a_request_that_does_not_end_is_refused(address: str, sent: bytes, byte: bytes) -> None:
    """Each case was seen failing (no answer) with uvicorn's own protocol."""
    async with socket_to(address) as (reader, writer):
        writer.write(sent)
        answer = await trickle(reader, writer, byte)

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_connection_without_a_request_is_closed_without_an_answer(address: str) -> None:
    """Browsers open connections that they may need later. Seen failing (it stayed open) with uvicorn's protocol."""
    async with socket_to(address) as (reader, writer):
        assert await trickle(reader, writer, b"") == b""
    async with socket_to(address) as (reader, writer):
        assert await trickle(reader, writer, b"\r\n") == b""


async def test_the_next_request_of_a_connection_has_the_same_time(address: str) -> None:
    async with socket_to(address) as (reader, writer):
        writer.write(HEAD + b"\r\n" + BODY)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
        writer.write(HEAD)
        answer = await trickle(reader, writer, b"X: y\r\n")
    async with socket_to(address) as (reader, writer):
        writer.write(HEAD + b"\r\n" + BODY)
        await reader.readuntil(b"\r\n\r\n")
        empty_lines = await trickle(reader, writer, b"\r\n")

    assert b"HTTP/1.1 408 Request Timeout" in answer
    assert b"HTTP/1.1" not in empty_lines


@pytest.mark.parametrize("sent", [HEAD + b"X: ", HEAD, b"\r\n"], ids=["one header", "many headers", "empty lines"])
async def test_headers_without_an_end_are_refused_before_they_fill_the_memory(address: str, sent: bytes) -> None:
    """Seen failing (no 431) with uvicorn's own protocol."""
    async with socket_to(address) as (reader, writer):
        writer.write(sent)
        part = {HEAD + b"X: ": b"x", HEAD: b"X: y\r\n", b"\r\n": b"\r\n"}[sent] * 10_000
        answer = asyncio.ensure_future(reader.read())
        written = 0
        while not answer.done() and written < 100:
            written += 1
            writer.write(part)
            await asyncio.wait([answer], timeout=0.001)

    assert (await asyncio.wait_for(answer, 5)).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


async def test_a_slow_request_that_ends_in_time_is_answered(address: str) -> None:
    async with socket_to(address) as (reader, writer):
        for part in (HEAD[:20], HEAD[20:], b"\r\n" + BODY[:10], BODY[10:]):
            writer.write(part)
            await asyncio.wait([asyncio.ensure_future(writer.drain())], timeout=PACE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")


async def test_a_slow_answer_a_stream_and_a_socket_outlast_the_limits(
    backends: Backends, traveller_id: UUID, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lasts three times as long as a request may."""
    monkeypatch.setattr(event_stream, "_HEARTBEAT_SECONDS", LIMIT)

    async def slow(scope: object, receive: object, send: object) -> None:
        await asyncio.sleep(3 * LIMIT)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[operator]

    from gateway_service.config.asgi import application

    booking = backends.world.add_booking(traveller_id)
    body = {"query": UPDATES, "variables": {"r": booking.reference, "a": 3}}
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}
    async with serving(slow) as (_, address), httpx.AsyncClient(base_url=f"http://{address}") as http:
        assert (await http.get("/")).text == "ok"
    async with serving(application) as (_, address):
        async with connected(address, bearer(token)) as client:
            async with httpx.AsyncClient(base_url=f"http://{address}") as http:
                async with http.stream("POST", "/graphql", json=body, headers=headers) as response:
                    comments = 0
                    async for line in response.aiter_lines():
                        comments += line == ":"
                        if comments == 4:
                            break
            await client.send(type="ping")
            assert await client.receive() == {"type": "pong"}
    await close_connections()


async def test_head_and_body_of_an_answer_are_sent_together(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen failing (no call of OneWrite) with uvicorn's own protocol."""
    sent: list[list[bytes]] = []
    send = OneWrite._send

    def recorded(self: OneWrite) -> None:
        sent.append(list(self._parts))
        send(self)

    monkeypatch.setattr(OneWrite, "_send", recorded)
    async with socket_to(address) as (reader, writer):
        writer.write(HEAD + b"\r\n" + BODY)
        await reader.readuntil(b"\r\n\r\n")

    ((head, body),) = [parts for parts in sent if parts]
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b'{"data":{"me":null}}'
