"""Test doubles of Stripe: localstripe in its own process, and a server with the answers that a test prepares.

localstripe is GPL and never imported here. It lacks idempotency keys, the search and redirects for 3-D Secure, and it
does not limit refunds to what was paid. Tests of these use the scripted server, with objects as Stripe's API
reference shows them.
"""

import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx

from shared.testing import eventually

API_KEY = "sk_test_of_the_tests"
SECRET = "whsec_of_the_tests"
# localstripe always writes its store to this path. Started with --from-scratch, it never reads it.
STORE = Path("/tmp/localstripe.pickle")


@contextmanager
def localstripe() -> Iterator[str]:
    """Run localstripe in its own process on a free port and yield its address."""
    if STORE.exists() and not os.access(STORE, os.W_OK):
        raise PermissionError(f"localstripe must write {STORE}, but it belongs to another user: remove it")
    with socket.socket(socket.AF_INET6) as free:
        free.bind(("::", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"localstripe ended with {process.returncode}")
        try:
            return httpx.get(f"{url}/v1/refunds", headers=as_merchant(), trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    try:
        eventually(answers, 30.0)
        yield url
    finally:
        process.terminate()
        process.wait(10)
        STORE.unlink(missing_ok=True)


def as_merchant() -> dict[str, str]:
    """Return the headers with the secret key."""
    return {"Authorization": f"Bearer {API_KEY}"}


def card(url: str, number: str) -> str:
    """Register a card at localstripe, as Stripe.js does, and return its payment method."""
    form = {
        "type": "card",
        "card[number]": number,
        "card[exp_month]": "12",
        "card[exp_year]": "2030",
        "card[cvc]": "123",
    }
    answer = httpx.post(f"{url}/v1/payment_methods", data=form, headers=as_merchant(), trust_env=False)
    return str(answer.json()["id"])


@contextmanager
def silent_server() -> Iterator[str]:
    """Yield the address of a server that accepts every connection and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that the scripted server received."""

    method: str
    path: str
    form: Mapping[str, str]
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that the scripted server will give, after a pause of `after` seconds."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0


class Scripted:
    """Gives the next answer of the requested route; the last answer is repeated. Records each request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[ReceivedRequest] = []
        self._routes: dict[tuple[str, str], list[Answer]] = {}

    def answers(self, method: str, path: str, *answers: Any) -> None:
        """Set the answers of a route. Each is an Answer, or the body of an answer with status 200."""
        self._routes[method, path] = [answer if isinstance(answer, Answer) else Answer(answer) for answer in answers]

    def paths(self) -> list[str]:
        """Return the received requests as `METHOD path`."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def next(self, request: ReceivedRequest) -> Answer:
        """Record a request and return its answer."""
        self.requests.append(request)
        route = self._routes.get((request.method, request.path))
        if not route:
            raise AssertionError(f"no answer is prepared for {request}")
        return route.pop(0) if len(route) > 1 else route[0]


@contextmanager
def scripted() -> Iterator[Scripted]:
    """Serve scripted answers on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = dict(parse_qsl(url.query) + parse_qsl(body))
            answer = script.next(ReceivedRequest(self.command, url.path, form, self.headers.get("Idempotency-Key")))
            time.sleep(answer.after)
            body_sent = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(body_sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body_sent)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script = Scripted(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def old_key() -> str:
    """Return a UUIDv7 that was made three hours ago: its first 48 bits are the time."""
    return str(UUID(int=int((time.time() - 3 * 3600) * 1000) << 80 | 7 << 76 | 2 << 62))


def intent(key: str, status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    """Return a payment intent as Stripe shows it, of 200.00 EUR unless the test says otherwise."""
    return {
        "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa", "object": "payment_intent", "amount": 20_000, "amount_capturable": 0,
        "amount_received": 20_000 if status == "succeeded" else 0, "application": None, "canceled_at": None,
        "cancellation_reason": None, "capture_method": "automatic_async", "confirmation_method": "automatic",
        "client_secret": "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH", "created": int(time.time()),
        "currency": "eur", "customer": None, "description": None, "last_payment_error": None,
        "latest_charge": None, "livemode": False, "metadata": {"payment_id": key, "booking_reference": "TR-TESTED"},
        "next_action": None, "payment_method": "pm_1MtwBvLkdIwHu7ixNbRWGTBC", "payment_method_types": ["card"],
        "processing": None, "status": status, "transfer_group": None, **changes,
    }  # fmt: skip


def refund(key: str, status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    """Return a refund as Stripe shows it, of 50.00 EUR unless the test says otherwise."""
    return {
        "id": "re_1Nispe2eZvKYlo2Cd31jOCgZ", "object": "refund", "amount": 5_000, "balance_transaction": None,
        "charge": "ch_1NirD82eZvKYlo2CIvbtLWuY", "created": int(time.time()), "currency": "eur",
        "metadata": {"refund_id": key}, "payment_intent": "pi_3MtwBwLkdIwHu7ix28a3tqPa", "reason": None,
        "status": status, **changes,
    }  # fmt: skip


def page(*objects: Any, more: bool = False, url: str = "/v1/payment_intents") -> dict[str, Any]:
    """Return a page of a list."""
    return {"object": "list", "url": url, "has_more": more, "data": list(objects)}


def hits(*objects: Any) -> dict[str, Any]:
    """Return the result of a search."""
    return {
        "object": "search_result", "url": "/v1/payment_intents/search", "has_more": False, "next_page": None, "data": list(objects),
    }  # fmt: skip


def error(status: int, *, headers: Mapping[str, str] | None = None, **error: Any) -> Answer:
    """Return an error as Stripe answers it."""
    return Answer({"error": {"type": "invalid_request_error", "message": "…", **error}}, status, headers or {})


def event(type_: str, about: Any, **changes: Any) -> dict[str, Any]:
    """Return an event as Stripe sends it."""
    return {
        "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy", "object": "event", "api_version": "2026-10-28.endive", "created": int(time.time()),
        "data": {"object": about}, "livemode": False, "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None}, "type": type_, **changes,
    }  # fmt: skip


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Return the header of a webhook, computed as Stripe documents it: HMAC-SHA256 of `<t>.<body>`."""
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={signature}"}
