"""Pages over REST: `{"next", "previous", "results"}`, by opaque cursor, stable under inserts.

`CursorPagination` pages a plain queryset. `page_arguments` and `page_response` are for lists whose selector reads the
page itself with `shared.pages`, because GraphQL pages through the same list.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypedDict
from uuid import UUID

from rest_framework.exceptions import NotFound as DrfNotFound
from rest_framework.pagination import CursorPagination as DrfCursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from shared.errors import Invalid
from shared.http.query import BadParameter, whole_number

MAX_LIMIT = 100
DEFAULT_LIMIT = 20


class CursorPagination(DrfCursorPagination):
    """DRF's keyset pages over rows with UUIDv7 ids, newest first, with `limit` (1..100, 20 by default).

    A limit out of range or a malformed cursor is 400 and names the parameter.
    """

    page_size = DEFAULT_LIMIT
    page_size_query_param = "limit"
    max_page_size = MAX_LIMIT
    ordering: tuple[str, ...] = ("-id",)  # newest first: UUIDv7 ids sort by the time of creation

    def get_page_size(self, request: Request) -> int:
        """Return `limit`. Raises BadParameter if it is not 1 to 100."""
        return whole_number(request, "limit", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT)

    def decode_cursor(self, request: Request) -> Any:
        """Return the cursor, or None for the first page. Raises BadParameter for a cursor that no page contained.

        DRF passes the position on unchecked, and reads any other text as the first page.
        """
        if not request.query_params.get(self.cursor_query_param):
            return None
        try:
            cursor: Any = super().decode_cursor(request)
            if cursor.position is not None:
                UUID(cursor.position)
            elif cursor.offset == 0:
                raise ValueError("neither a position nor an offset")
        except (DrfNotFound, ValueError):
            raise BadParameter(field="cursor", parameter="cursor") from None
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the page's schema for OpenAPI."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": OrderedDict(next=link, previous=link, results=schema),
        }


class PageArguments(TypedDict):
    """The page that a request asks for, as the arguments of a selector."""

    first: int
    after: str


class ForwardPage(Protocol):
    """A page that a selector has read: `shared.pages.Page`, or one of its kind."""

    @property
    def cursors(self) -> list[str]: ...

    @property
    def has_next(self) -> bool: ...


def page_arguments(request: Request) -> PageArguments:
    """Return the page that `limit` and `cursor` ask for. Raises BadParameter."""
    first = whole_number(request, "limit", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT)
    return {"first": first, "after": request.query_params.get("cursor", "")}


@contextmanager
def rest_names() -> Iterator[None]:
    """Turn a selector's Invalid into a BadParameter with the parameter's REST name: `after` is `cursor` here."""
    try:
        yield
    except Invalid as refusal:
        name = "cursor" if refusal.field == "after" else refusal.field or "query"
        params = {**refusal.params, "parameter": name}
        raise BadParameter(field=name, text=refusal.own_text, **params) from refusal


def page_response(request: Request, page: ForwardPage, *, results: Iterable[Any]) -> Response:
    """Return the answer for a page that a selector has read. It links only forward: `previous` is always null."""
    following = None
    if page.has_next:
        query = request.query_params.copy()
        query["cursor"] = page.cursors[-1]
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({"next": following, "previous": None, "results": results})
