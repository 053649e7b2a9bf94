"""Health: whether the process runs, and which services answer. The gateway requires none of them."""

import asyncio

import httpx
from django.conf import settings
from django.http import HttpRequest, JsonResponse

from gateway_service.gateway.upstream import http_client


async def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the event loop runs."""
    return JsonResponse({"status": "live"})


async def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200, and for each service whether it answers. The gateway is ready even if no service answers."""
    names = list(settings.SERVICE_URLS)
    running = await asyncio.gather(*(_is_live(name) for name in names))
    return JsonResponse({"status": "ready", "services": dict(zip(names, running, strict=True))})


async def _is_live(name: str) -> bool:
    try:
        response = await http_client.client().get(f"{settings.SERVICE_URLS[name]}/health/live", timeout=1.0)
    except httpx.HTTPError:
        return False
    return response.is_success
