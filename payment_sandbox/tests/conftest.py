"""A sandbox process for tests, and a listener that receives its webhooks."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-webhook-secret-of-the-test"


def eventually(predicate: Callable[[], Any], timeout: float = 10.0) -> Any:
    """Call `predicate` until it returns something truthy, and return that."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if answer := predicate():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout} s")


@dataclass
class Listener:
    """The webhook calls that arrived, those that were accepted, and how many of the next calls are answered 503."""

    url: str
    refuse: int = 0
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def of(self, key: str) -> list[dict[str, Any]]:
        """Return the accepted webhooks of one payment."""
        return [event for event in list(self.accepted) if event["payment"]["key"] == key]


@contextmanager
def listening() -> Iterator[Listener]:
    """Receive webhooks on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.calls.append((dict(self.headers), body))
            refused, listener.refuse = listener.refuse > 0, max(0, listener.refuse - 1)
            if not refused:
                listener.accepted.append(json.loads(body))
            self.send_response(503 if refused else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(url=f"http://127.0.0.1:{server.server_port}/webhooks/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()


class Sandbox:
    """A sandbox process, and an HTTP client for it."""

    def __init__(self, *, folder: Path, webhook_url: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._environment = {
            **os.environ,
            "PAYMENT_SANDBOX_URL": f"http://127.0.0.1:{port}",
            "PAYMENT_WEBHOOK_URL": webhook_url,
            "PAYMENT_WEBHOOK_SECRET": SECRET,
            "SANDBOX_STORE": str(folder / "sandbox.sqlite3"),
        }
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=8.0, trust_env=False)
        self.start()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.process = subprocess.Popen([sys.executable, "-m", "payment_sandbox"], cwd=ROOT, env=self._environment)
        eventually(self._answers, 20.0)

    def _answers(self) -> bool:
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End the process."""
        self.process.send_signal(with_signal)
        self.process.wait(10)

    def pay(self, method: str, *, key: str | None = None, amount: Any = 12_050, **other: Any) -> httpx.Response:
        """Ask for a payment."""
        body = {"key": key or str(uuid4()), "amount": amount, "currency": "EUR", "method": method, **other}
        return self.http.post("/v1/payments", json=body)

    def refund(self, payment_key: str, amount: Any, *, key: str | None = None) -> httpx.Response:
        """Ask for a refund."""
        return self.http.post(
            f"/v1/payments/{payment_key}/refunds", json={"key": key or str(uuid4()), "amount": amount}
        )


@contextmanager
def running(folder: Path, listener: Listener) -> Iterator[Sandbox]:
    """Run a sandbox that sends its webhooks to `listener`."""
    sandbox = Sandbox(folder=folder, webhook_url=listener.url)
    try:
        yield sandbox
    finally:
        sandbox.http.close()
        if sandbox.process.poll() is None:
            sandbox.stop()


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """The listener of the sandbox that tests share."""
    with listening() as started:
        yield started


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[Sandbox]:
    """A sandbox that tests share. Each test looks only at its own payments."""
    with running(tmp_path_factory.mktemp("sandbox"), listener) as started:
        yield started


@pytest.fixture
def own_listener() -> Iterator[Listener]:
    """A listener for one test."""
    with listening() as started:
        yield started


@pytest.fixture
def own_sandbox(tmp_path: Path, own_listener: Listener) -> Iterator[Sandbox]:
    """A sandbox for one test, which may kill it or refuse its webhooks."""
    with running(tmp_path, own_listener) as started:
        yield started
