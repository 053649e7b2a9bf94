"""Pages over REST: `{"next", "previous", "results"}`, by opaque cursor. Inserted rows do not disturb them."""

from collections import OrderedDict
from typing import Any

from rest_framework.exceptions import NotFound as DrfNotFound
from rest_framework.pagination import CursorPagination as DrfCursorPagination
from rest_framework.request import Request

from shared.http.query import BadParameter, whole_number

MAX_LIMIT = 100
DEFAULT_LIMIT = 20


class CursorPagination(DrfCursorPagination):
    """DRF's keyset pages with `limit` (1 to 100, 20 by default). A bad limit or cursor is answered with 400 and its name."""

    page_size = DEFAULT_LIMIT
    page_size_query_param = "limit"
    max_page_size = MAX_LIMIT
    ordering: tuple[str, ...] = ("-id",)  # newest first: UUIDv7 ids sort by the time of creation

    def get_page_size(self, request: Request) -> int:
        """Return `limit`. Raises BadParameter if it is not 1 to 100."""
        return whole_number(request, "limit", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT)

    def decode_cursor(self, request: Request) -> Any:
        """Return the cursor. Raises BadParameter if it is malformed."""
        try:
            return super().decode_cursor(request)
        except (DrfNotFound, ValueError):
            raise BadParameter(field="cursor", parameter="cursor") from None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the page's schema for OpenAPI."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": OrderedDict(next=link, previous=link, results=schema),
        }


def page_of_results(
    request: Request, *, results: list[Any], next_cursor: str | None, previous_cursor: str | None
) -> dict[str, Any]:
    """Return the body of a page that a selector has made. The cursors are the selector's."""

    def link(cursor: str | None) -> str | None:
        if not cursor:
            return None
        query = request.query_params.copy()
        query["cursor"] = cursor
        return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")

    return {"next": link(next_cursor), "previous": link(previous_cursor), "results": results}
