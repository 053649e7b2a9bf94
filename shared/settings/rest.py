"""Django REST framework and its OpenAPI document, the same in every service."""

from typing import Any


def rest_framework() -> dict[str, Any]:
    """Return REST_FRAMEWORK: only JSON, travellers' tokens, closed unless a view opens itself, problem+json."""
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": ["shared.auth.drf.TravellerAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["shared.auth.drf.IsTraveller"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["shared.http.parsers.StrictJSONParser"],
        "DEFAULT_PAGINATION_CLASS": "shared.http.pagination.CursorPagination",
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "EXCEPTION_HANDLER": "shared.http.problems.exception_handler",
        "UNAUTHENTICATED_USER": None,
        "UNAUTHENTICATED_TOKEN": None,
        "COERCE_DECIMAL_TO_STRING": True,
        "TEST_REQUEST_DEFAULT_FORMAT": "json",
    }


def spectacular(*, title: str, description: str) -> dict[str, Any]:
    """Return SPECTACULAR_SETTINGS: OpenAPI 3.1 with vendored Swagger UI."""
    return {
        "TITLE": title,
        "DESCRIPTION": description,
        "VERSION": "1.0.0",
        "OAS_VERSION": "3.1.0",
        "SERVE_INCLUDE_SCHEMA": False,
        "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
        "SERVE_AUTHENTICATION": [],
        "SCHEMA_PATH_PREFIX": r"/api/v1",
        "COMPONENT_SPLIT_REQUEST": True,
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "REDOC_DIST": "SIDECAR",
    }
