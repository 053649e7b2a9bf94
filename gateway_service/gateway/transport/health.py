"""Health: whether the process runs, and whether it can serve requests. Other services are reported, never required."""

import asyncio

import httpx
from django.conf import settings
from django.http import HttpRequest, JsonResponse

from gateway_service.gateway.upstream import http


async def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the event loop runs."""
    return JsonResponse({"status": "live"})


async def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 with the state of each service. The gateway owns nothing that could be unavailable."""
    names = list(settings.SERVICE_URLS)
    up = await asyncio.gather(*(_is_live(name) for name in names))
    return JsonResponse({"status": "ready", "services": dict(zip(names, up, strict=True))})


async def _is_live(name: str) -> bool:
    try:
        response = await http.client().get(f"{settings.SERVICE_URLS[name]}/health/live", timeout=1.0)
    except httpx.HTTPError:
        return False
    return response.is_success
