"""One OpenAPI document for the public REST paths of every service, and Swagger UI over it."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gateway_service.gateway.rest.routes import route
from gateway_service.gateway.upstream import http

_PREFIX: Final = "/api/v1/"
_FRESH_SECONDS: Final = 60.0
_VERBS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)

log = structlog.get_logger("gateway")


@dataclass(slots=True)
class _Kept:
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    until: float = 0.0


_kept = _Kept()


async def openapi(request: HttpRequest) -> HttpResponse:
    """Answer the merged document as JSON. A service that is away shows its last known part, or none yet."""
    response = HttpResponse(json.dumps(merge(await _documents())), content_type="application/json")
    response["Cache-Control"] = "no-cache"
    return response


def docs(request: HttpRequest) -> HttpResponse:
    """Answer Swagger UI; its assets are our own."""
    response = render(request, "gateway/docs.html")
    response["Content-Security-Policy"] = _DOCS_POLICY
    return response


async def _documents() -> dict[str, dict[str, Any]]:
    if time.monotonic() >= _kept.until:
        names = list(settings.SERVICE_URLS)
        found = await asyncio.gather(*(_document(name) for name in names))
        _kept.documents.update({name: one for name, one in zip(names, found, strict=True) if one is not None})
        _kept.until = time.monotonic() + (_FRESH_SECONDS if all(found) else 2.0)
    return {name: _kept.documents[name] for name in settings.SERVICE_URLS if name in _kept.documents}


async def _document(name: str) -> dict[str, Any] | None:
    url = f"{settings.SERVICE_URLS[name]}/api/schema/?format=json"
    try:
        answered = await http.client().get(
            url, headers={"Accept": "application/vnd.oai.openapi+json, application/json"}
        )
        answered.raise_for_status()
        document = answered.json()
    except (httpx.HTTPError, ValueError) as error:
        log.warning("openapi is missing", upstream=name, error=type(error).__name__)
        return None
    return document if isinstance(document, dict) else None


def merge(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return one document of the public paths. A component that two services define differently is kept under both names."""
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Travel",
            "version": "1.0.0",
            "description": "The public REST paths of every service behind one address. Money is a decimal in a string with"
            " its ISO 4217 currency; refusals are problem+json (RFC 9457).",
        },
        "servers": [{"url": settings.PUBLIC_URL}],
        "tags": [],
        "paths": {},
        "components": {},
    }
    for name, document in documents.items():
        renamed = _settle(merged["components"], document.get("components", {}), name)
        for path, item in document.get("paths", {}).items():
            public = _public(path, item)
            if public:
                merged["paths"][path] = _tagged(_renamed(public, renamed), name)
        merged["tags"].append({"name": name})
    return merged


def _public(path: str, item: dict[str, Any]) -> dict[str, Any]:
    example = path.lstrip("/").replace("{", "").replace("}", "")
    owner = route(example) if path.startswith(_PREFIX) else None
    if owner is None:
        return {}
    kept = {key: value for key, value in item.items() if key not in _VERBS or key.upper() in owner.methods}
    return kept if any(key in _VERBS for key in kept) else {}


def _settle(into: dict[str, Any], components: dict[str, Any], service: str) -> dict[str, str]:
    """Add `components` to `into`; return the references that had to be renamed."""
    clashing = {
        f"#/components/{kind}/{name}": f"#/components/{kind}/{service.title()}{name}"
        for kind, named in components.items()
        for name, value in named.items()
        if name in into.get(kind, {}) and into[kind][name] != value
    }
    for kind, named in components.items():
        held = into.setdefault(kind, {})
        for name, value in named.items():
            new = clashing.get(f"#/components/{kind}/{name}", f"#/components/{kind}/{name}").rsplit("/", 1)[-1]
            held[new] = _renamed(value, clashing)
    return clashing


def _renamed(value: Any, renamed: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: renamed.get(one, one) if key == "$ref" and isinstance(one, str) else _renamed(one, renamed)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_renamed(one, renamed) for one in value]
    return value


def _tagged(item: dict[str, Any], service: str) -> dict[str, Any]:
    return {key: {**value, "tags": [service]} if key in _VERBS else value for key, value in item.items()}
