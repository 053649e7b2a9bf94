"""The public keys that travellers' tokens are signed with, as users_service publishes them."""

import time
from dataclasses import dataclass
from typing import Final

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from gateway_service.gateway.transport.problems import problem
from gateway_service.gateway.upstream import http

_FRESH_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Kept:
    body: bytes = b""
    until: float = 0.0


_kept = _Kept()


async def jwks(request: HttpRequest) -> HttpResponse:
    """Answer the key set: half a minute old at most, and the last good one while users_service is away."""
    if time.monotonic() >= _kept.until:
        try:
            answered = await http.client().get(settings.JWKS_URL)
            answered.raise_for_status()
            _kept.body = answered.content
            _kept.until = time.monotonic() + _FRESH_SECONDS
        except httpx.HTTPError:
            if not _kept.body:
                return problem(503, "UPSTREAM_UNAVAILABLE", retry_after=1)
    response = HttpResponse(_kept.body, content_type="application/json")
    response["Cache-Control"] = f"public, max-age={int(_FRESH_SECONDS)}"
    return response
