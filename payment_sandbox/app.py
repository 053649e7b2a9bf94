"""The sandbox's HTTP endpoints."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from payment_sandbox import pages
from payment_sandbox.config import Config
from payment_sandbox.methods import METHODS, Status
from payment_sandbox.store import KeyReused, Refused, Store, public_fields
from payment_sandbox.webhooks import WebhookSender
from shared.failpoints import failpoint

MAX_BODY_BYTES: Final = 16_384
NEVER_SECONDS: Final = 60.0  # how long the connection of an unanswered request stays open
_KEY: Final = re.compile(r"[!-~]{1,255}")


class Malformed(Exception):
    """The request is malformed. The argument is a stable code."""


def make_app(config: Config) -> Starlette:
    """Return the application. It opens its store when it starts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = Store(config.store)
        app.state.store, app.state.config = store, config
        app.state.webhooks = webhooks = WebhookSender(store=store, config=config)
        running = asyncio.create_task(webhooks.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            store.close()

    refusals: dict[Any, Any] = {
        Malformed: lambda _, error: _refusal(400, str(error)),
        KeyReused: lambda _, error: _refusal(409, "idempotency_key_reused"),
        Refused: lambda _, error: _refusal(404 if str(error) == "payment_unknown" else 422, str(error)),
    }
    routes = [
        Route("/health", health),
        Route("/v1/payments", pay, methods=["POST"]),
        Route("/v1/payments/{key}", payment),
        Route("/v1/payments/{key}/cancel", cancel, methods=["POST"]),
        Route("/v1/payments/{key}/refunds", refund, methods=["POST"]),
        Route("/v1/payments/{key}/refunds/{refund}", find_refund),
        Route("/actions/{token}", action, methods=["GET", "POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=refusals)


async def health(request: Request) -> Response:
    """Answer 200 while the store can be read."""
    request.app.state.store.next_due()
    return JSONResponse({"status": "ok"})


async def pay(request: Request) -> Response:
    """Create a payment, and answer as its method says."""
    body = await _body(request)
    key, name = _key(body), _text(body, "method")
    method = METHODS.get(name)
    if method is None:
        raise Malformed("method_unknown")
    if not method.charges:
        return _refusal(503, "provider_unavailable")
    store: Store = request.app.state.store
    amount, currency = _amount(body), _currency(body)
    store.pay(key=key, method=name, amount_minor=amount, currency=currency, webhook_url=_webhook_url(body))
    failpoint("sandbox.charged")
    request.app.state.webhooks.wake()
    if not method.answers:
        await asyncio.sleep(NEVER_SECONDS)
        return Response(status_code=504)
    row = store.payment(key)
    while row is not None and row["status"] == Status.PROCESSING:
        await asyncio.sleep(0.05)
        row = store.payment(key)
    return JSONResponse(_payment(request, row))


async def payment(request: Request) -> Response:
    """Return a payment."""
    row = request.app.state.store.payment(request.path_params["key"])
    return JSONResponse(_payment(request, row)) if row else _refusal(404, "payment_unknown")


async def cancel(request: Request) -> Response:
    """Fail a payment whose outcome is not final yet."""
    store: Store = request.app.state.store
    if store.payment(request.path_params["key"]) is None:
        return _refusal(404, "payment_unknown")
    row = store.decide(request.path_params["key"], outcome=Status.FAILED, failure_code="cancelled")
    request.app.state.webhooks.wake()
    return JSONResponse(_payment(request, row))


async def refund(request: Request) -> Response:
    """Refund money of a payment."""
    body = await _body(request)
    store: Store = request.app.state.store
    row = store.refund(key=_key(body), payment_key=request.path_params["key"], amount_minor=_amount(body))
    failpoint("sandbox.refunded")
    return JSONResponse(_refund(row))


async def find_refund(request: Request) -> Response:
    """Return a refund."""
    row = request.app.state.store.find_refund(request.path_params["refund"])
    if row is None or row["payment_key"] != request.path_params["key"]:
        return _refusal(404, "refund_unknown")
    return JSONResponse(_refund(row))


async def action(request: Request) -> Response:
    """Show a person the decision form, or apply the decision."""
    store: Store = request.app.state.store
    row = store.awaiting_action(request.path_params["token"])
    if row is None:
        return pages.unknown()
    if request.method == "POST" and row["status"] == Status.REQUIRES_ACTION:
        decision = parse_qs((await _raw(request)).decode(errors="replace")).get("decision", [""])[0]
        if decision == "approve":
            row = store.decide(row["key"], outcome=Status.SUCCEEDED)
        elif decision == "decline":
            row = store.decide(row["key"], outcome=Status.FAILED, failure_code="authentication_failed")
        request.app.state.webhooks.wake()
    if row["status"] == Status.REQUIRES_ACTION:
        return pages.decision_form(amount_minor=row["amount_minor"], currency=row["currency"])
    return pages.decided(status=row["status"].lower())


def _payment(request: Request, row: sqlite3.Row | None) -> dict[str, Any]:
    if row is None:
        raise LookupError("the payment is not in the store")
    needs_action = row["status"] == Status.REQUIRES_ACTION
    public_url = request.app.state.config.public_url
    return {
        **public_fields(row),
        "refunded": request.app.state.store.refunded(row["key"]),
        "redirect_url": f"{public_url}/actions/{row['action_token']}" if needs_action else "",
    }


def _refund(row: sqlite3.Row) -> dict[str, Any]:
    shown = ("id", "key", "payment_key", "status", "currency", "failure_code")
    return {**{name: row[name] for name in shown}, "amount": row["amount_minor"]}


def _refusal(status: int, code: str) -> JSONResponse:
    return JSONResponse({"error": code}, status_code=status)


async def _raw(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Malformed("body_too_large")
    return body


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await _raw(request))
    except (ValueError, RecursionError):
        raise Malformed("body_malformed") from None
    if not isinstance(body, dict):
        raise Malformed("body_malformed")
    return body


def _key(body: dict[str, Any]) -> str:
    key = _text(body, "key")
    if not _KEY.fullmatch(key):
        raise Malformed("key_malformed")
    return key


def _webhook_url(body: dict[str, Any]) -> str:
    url = _text(body, "webhook_url", default="")
    if url and not url.startswith(("http://", "https://")):
        raise Malformed("webhook_url_malformed")
    return url


def _text(body: dict[str, Any], name: str, *, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > 1_000:
        raise Malformed(f"{name}_malformed")
    return value


def _amount(body: dict[str, Any]) -> int:
    amount = body.get("amount")
    if type(amount) is not int or not 0 < amount < 2**53:
        raise Malformed("amount_malformed")
    return amount


def _currency(body: dict[str, Any]) -> str:
    currency = _text(body, "currency")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise Malformed("currency_malformed")
    return currency
