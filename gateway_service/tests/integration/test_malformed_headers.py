"""Headers that no HTTP client sends by mistake, over real sockets."""

import asyncio

import pytest

BODY = b'{"query":"{__typename}"}'
CLOSE = b"Connection: close\r\n\r\n"
PLAIN = b"Content-Type: application/json\r\nContent-Length: 24\r\n"
CHUNKED = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"


async def answer_to(address: str, rest: bytes, *, path: bytes = b"/graphql") -> bytes:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + rest)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.parametrize("path", [b"/graphql", b"/api/v1/auth/login/"])
async def test_a_content_type_in_an_unknown_charset_is_refused(address: str, path: bytes) -> None:
    """Seen failing (500) without `_is_readable`: Django's parser raises LookupError."""
    kind = b"Content-Type: application/json; charset*=bogus''%ff\r\nContent-Length: 24\r\n"

    answer = await answer_to(address, kind + CLOSE + BODY, path=path)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert b'"code":"BAD_USER_INPUT"' in answer


async def test_a_content_length_of_thousands_of_digits_is_refused(address: str) -> None:
    """Seen failing (500 in plain text) without a limit of digits: Python refuses to read so long a number."""
    kind = b"Content-Type: application/json\r\nContent-Length: " + b"0" * 5_000 + b"24\r\n"

    answer = await answer_to(address, kind + CLOSE + BODY)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"TOO_LARGE"' in answer


@pytest.mark.parametrize("trailer", [b"Host: evil.example", b"Authorization: Bearer no"])
async def test_trailers_are_no_headers(address: str, trailer: bytes) -> None:
    """Seen failing (400 for Host, 401 for Authorization) with uvicorn's own `on_header`.

    A proxy that replaces X-Forwarded-For in the headers may pass trailers on.
    """
    chunks = b"18\r\n" + BODY + b"\r\n0\r\n" + trailer + b"\r\n\r\n"

    answer = await answer_to(address, CHUNKED + CLOSE + chunks)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b'{"data":{"__typename":"Query"}}')


async def test_an_upgrade_to_websocket_by_post_is_refused(address: str) -> None:
    """Seen failing (the connection stays open for ever) without the look at `handshake_initiated`."""
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

    answer = await answer_to(address, PLAIN + key + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n" + BODY)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n")
