"""Is the process alive, and may it be sent requests? Other services are reported, never required."""

import asyncio

import httpx
from django.conf import settings
from django.http import HttpRequest, JsonResponse

from gateway_service.gateway.upstream import http


async def live(request: HttpRequest) -> JsonResponse:
    """Answer while the loop turns."""
    return JsonResponse({"status": "live"})


async def ready(request: HttpRequest) -> JsonResponse:
    """Answer ready, for the gateway owns nothing that could be away, and tell which services are up."""
    names = list(settings.SERVICE_URLS)
    up = await asyncio.gather(*(_is_live(name) for name in names))
    return JsonResponse({"status": "ready", "services": dict(zip(names, up, strict=True))})


async def _is_live(name: str) -> bool:
    try:
        answered = await http.client().get(f"{settings.SERVICE_URLS[name]}/health/live", timeout=1.0)
    except httpx.HTTPError:
        return False
    return answered.is_success
