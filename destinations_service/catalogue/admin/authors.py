"""The author of what a request writes, for the history."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from destinations_service.catalogue import services
from shared.staff_sign_in import staff_id
from shared.telemetry import current_request_id

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class AuthorMiddleware:
    """Record who sends a request that writes. A request that reads costs nothing.

    The views of the REST API name their caller themselves, because the token is checked there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if request.method in _READS:
            return self.get_response(request)
        in_admin = request.path.startswith("/admin/")
        with services.authored(source="admin" if in_admin else "rest", request=current_request_id()):
            if in_admin and request.user.is_authenticated:
                services.by_staff(staff_id(request), account=request.user.pk)
            return self.get_response(request)
