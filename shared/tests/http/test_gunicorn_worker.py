"""A web process answers while many clients send half a request, or nothing. With the real gunicorn and its real file."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from shared.http.gunicorn_worker import LARGEST, missing_bytes
from shared.testing import eventually

ROOT = Path(__file__).resolve().parents[3]
APPLICATION = """
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(str(len(body)))))])
    return [str(len(body)).encode()]
"""
HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
WHOLE = HEAD + b"Content-Length: 0\r\n\r\n"


@contextmanager
def web(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a web process with one thread, and return it with its port. It answers how many bytes the body has."""
    (folder / "echo.py").write_text(APPLICATION)
    # The account feed needs Kafka and settings.
    (folder / "conf.py").write_text((ROOT / "shared/http/gunicorn_conf.py").read_text().split("def post_fork")[0])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "conf.py", "echo:application"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PORT": str(number), "WEB_THREADS": "1"},
    )
    try:
        eventually(lambda: _accepts(number))
        yield server, number
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a web process for many tests."""
    with web(tmp_path_factory.mktemp("web")) as (_, number):
        yield number


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answer(port: int, body: bytes = b"") -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=body, timeout=3) as response:
        return bytes(response.read())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        HEAD + b"X: ",
        HEAD + b"Content-Length: 500\r\n\r\n{",
        HEAD + b"Content-Length: 100000\r\n\r\n" + b"x" * 60_000,
        HEAD + b"Expect: 100-continue\r\nContent-Length: 500\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n500\r\n0\r\n\r\n",
        WHOLE + HEAD,
        b"\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ],
    ids=[
        "nothing",
        "head",
        "body",
        "large-body",
        "expecting",
        "chunks",
        "false-end",
        "second-request",
        "empty-head",
        "never-closes",
    ],
)
def test_clients_that_send_half_a_request_block_nobody(port, sent):
    """Seen failing (TimeoutError) with gunicorn's own worker, and the last three without `finish_request`."""
    with ExitStack() as opened:
        for _ in range(20):
            client = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(sent)
        time.sleep(0.3)

        assert answer(port) == b"0"


def test_a_kept_connection_with_half_of_its_second_request_blocks_nobody(port):
    """Seen failing (TimeoutError) with gunicorn's own worker."""
    with ExitStack() as opened:
        for _ in range(5):
            client = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(WHOLE)
            assert client.recv(9_999).startswith(b"HTTP/1.1 200")
            client.sendall(HEAD)
        time.sleep(0.3)

        assert answer(port) == b"0"


@pytest.mark.parametrize("size", [0, 1, 60_000, LARGEST - 1_000, LARGEST + 1, 3_000_000])
def test_a_body_of_any_size_arrives_whole(port, size):
    assert answer(port, b"x" * size) == str(size).encode()


def test_a_request_may_come_in_pieces(port):
    whole = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=3) as client:
        for byte in whole:
            client.sendall(bytes([byte]))
        answered = b""
        while not answered.endswith(b"\r\n\r\n5"):
            answered += client.recv(9_999)


def test_a_client_that_leaves_is_forgotten(port):
    with socket.create_connection(("127.0.0.1", port), timeout=3) as client:
        client.sendall(HEAD)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(9_999) == b""


def test_half_a_request_does_not_delay_a_stop(tmp_path):
    """Seen failing (five seconds, the grace of gunicorn) without STOP_SECONDS."""
    with web(tmp_path) as (server, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(HEAD)
        assert answer(port) == b"0"
        started = time.monotonic()
        server.terminate()
        server.wait(10)

    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (b"", 1),
        (WHOLE, 0),
        (HEAD + b"content-length:5\r\n\r\nab", 3),
        (HEAD + b"Content-Length: 9999999\r\n\r\n", LARGEST - len(HEAD) - 27),
        (HEAD + b"Content-Length: x\r\n\r\n", 0),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 0),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n", 0),
        (b"x" * 64_000, 0),
    ],
)
def test_how_much_is_missing(data, missing):
    assert missing_bytes(data) == missing
