"""The public keys that verify travellers' tokens, as users_service publishes them."""

import time
from dataclasses import dataclass
from typing import Final

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from gateway_service.gateway.transport.problems import problem
from gateway_service.gateway.upstream import http_client

_FRESH_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Cached:
    body: bytes = b""
    until: float = 0.0
    changes: int = 0


_cached = _Cached()


def forget() -> None:
    """Make the next answer a new one, because the keys have changed. Any thread may call it."""
    _cached.until = 0.0
    _cached.changes += 1


async def jwks(request: HttpRequest) -> HttpResponse:
    """Answer the key set, which is at most _FRESH_SECONDS old.

    While users_service is unavailable, answer the last set that was read, or 503 if there is none.
    """
    if time.monotonic() >= _cached.until:
        changes = _cached.changes
        try:
            response_of_users = await http_client.client().get(settings.JWKS_URL)
            response_of_users.raise_for_status()
            _cached.body = response_of_users.content
            if _cached.changes == changes:  # otherwise the answer may be older than the change
                _cached.until = time.monotonic() + _FRESH_SECONDS
        except httpx.HTTPError:
            if not _cached.body:
                return problem(503, "UPSTREAM_UNAVAILABLE", retry_after=1)
    response = HttpResponse(_cached.body, content_type="application/json")
    response["Cache-Control"] = f"public, max-age={int(_FRESH_SECONDS)}"
    return response
