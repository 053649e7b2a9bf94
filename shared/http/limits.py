"""Refuses two kinds of requests before they are read: an unknown Host and a body that is too large."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from shared.errors import Invalid, TooLarge
from shared.http.problems import problem_response


class LimitsMiddleware:
    """Answer 400 to an unknown Host, and 413 to a body larger than MAX_BODY_BYTES without reading it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer or refuse the request."""
        try:
            request.get_host()
        except DisallowedHost:
            return problem_response(Invalid())
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if not declared.isdecimal():
            return problem_response(Invalid())
        if int(declared) > settings.MAX_BODY_BYTES:
            response = problem_response(TooLarge())
            response["Connection"] = "close"
            return response
        return self.get_response(request)
