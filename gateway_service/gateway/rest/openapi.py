"""One OpenAPI document for the public REST paths of every service, and Swagger UI for it."""

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
from gateway_service.gateway.upstream import http_client

_PREFIX: Final = "/api/v1/"
_FRESH_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 2.0
_VERBS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
)

_MEDIA_TYPES: Final = (
    "application/json", "application/vnd.oai.openapi+json", "application/yaml", "application/vnd.oai.openapi"
)  # fmt: skip

JsonObject = dict[str, Any]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Cached:
    documents: dict[str, JsonObject] = field(default_factory=dict)
    until: float = 0.0


_cached = _Cached()


async def openapi(request: HttpRequest) -> HttpResponse:
    """Answer the merged document. For an unavailable service it contains the paths that were read last.

    JSON unless the Accept header prefers YAML. JSON is YAML too, so the text is the same.
    """
    preferred = "application/json" if "format" in request.GET else request.get_preferred_type(_MEDIA_TYPES)
    response = HttpResponse(json.dumps(merge(await _documents())), content_type=preferred or "application/json")
    response["Cache-Control"] = "no-cache"
    return response


def docs(request: HttpRequest) -> HttpResponse:
    """Answer the page of Swagger UI. It loads its assets from the gateway."""
    response = render(request, "gateway/docs.html")
    response["Content-Security-Policy"] = _DOCS_POLICY
    return response


async def _documents() -> dict[str, JsonObject]:
    if time.monotonic() >= _cached.until:
        names = list(settings.SERVICE_URLS)
        documents = await asyncio.gather(*(_document(name) for name in names))
        _cached.documents.update({name: new for name, new in zip(names, documents, strict=True) if new is not None})
        _cached.until = time.monotonic() + (_FRESH_SECONDS if all(documents) else _RETRY_SECONDS)
    return {name: _cached.documents[name] for name in settings.SERVICE_URLS if name in _cached.documents}


async def _document(name: str) -> JsonObject | None:
    url = f"{settings.SERVICE_URLS[name]}/api/schema/?format=json"
    try:
        response = await http_client.client().get(
            url, headers={"Accept": "application/vnd.oai.openapi+json, application/json"}
        )
        response.raise_for_status()
        document = response.json()
    except (httpx.HTTPError, ValueError) as error:
        log.warning("openapi_not_read", upstream=name, error=type(error).__name__)
        return None
    return document if isinstance(document, dict) else None


def merge(documents: dict[str, JsonObject]) -> JsonObject:
    """Return one document with the public paths of all `documents`.

    If two services define different components with the same name, the later component is renamed: its
    service's name is put in front.
    """
    merged: JsonObject = {
        "openapi": "3.1.0",
        "info": {
            "title": "Travel",
            "version": "1.0.0",
            "description": "The public REST paths of every service behind one address. Money is a decimal in a string"
            " with its ISO 4217 currency; refusals are problem+json (RFC 9457).",
        },
        "servers": [{"url": settings.PUBLIC_URL}],
        "tags": [],
        "paths": {},
        "components": {},
    }
    for name, document in documents.items():
        new_names = _add_components(merged["components"], document.get("components", {}), name)
        for path, item in document.get("paths", {}).items():
            public = _public_part(path, item)
            if public:
                merged["paths"][path] = _with_tag(_rename_references(public, new_names), name)
        merged["tags"].append({"name": name})
    return merged


def _public_part(path: str, item: JsonObject) -> JsonObject:
    example = path.lstrip("/").replace("{", "").replace("}", "")
    public_route = route(example) if path.startswith(_PREFIX) else None
    if public_route is None:
        return {}
    public = {key: value for key, value in item.items() if key not in _VERBS or key.upper() in public_route.methods}
    return public if any(key in _VERBS for key in public) else {}


def _add_components(into: JsonObject, components: JsonObject, service: str) -> dict[str, str]:
    """Add `components` to `into`. Return the new reference of each component that had to be renamed."""
    new_names = {
        f"#/components/{kind}/{name}": f"#/components/{kind}/{service.title()}{name}"
        for kind, named in components.items()
        for name, value in named.items()
        if name in into.get(kind, {}) and into[kind][name] != value
    }
    for kind, named in components.items():
        target = into.setdefault(kind, {})
        for name, value in named.items():
            new = new_names.get(f"#/components/{kind}/{name}", f"#/components/{kind}/{name}").rsplit("/", 1)[-1]
            target[new] = _rename_references(value, new_names)
    return new_names


def _rename_references(value: Any, new_names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: new_names.get(part, part)
            if key == "$ref" and isinstance(part, str)
            else _rename_references(part, new_names)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_rename_references(part, new_names) for part in value]
    return value


def _with_tag(item: JsonObject, service: str) -> JsonObject:
    return {key: {**value, "tags": [service]} if key in _VERBS else value for key, value in item.items()}
