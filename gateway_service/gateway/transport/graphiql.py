"""The page of GraphiQL, for browsers in development."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:;"
    " connect-src 'self'; worker-src 'self' blob:"
)


async def graphiql(request: HttpRequest) -> HttpResponse:
    """Answer the page. http.py passes only a browser's GET in development."""
    page = render(request, "gateway/graphiql.html")
    page["Content-Security-Policy"] = _POLICY
    return page
