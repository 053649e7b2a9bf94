"""The time a REST request has."""

from django.http import HttpRequest
from rest_framework.request import Request

from shared.deadline import Deadline

REQUEST_SECONDS = 10.0


def deadline_of(request: Request | HttpRequest) -> Deadline:
    """Return the request's deadline: ten seconds from when it was first asked for, the same at every call."""
    plain = request._request if isinstance(request, Request) else request
    deadline = getattr(plain, "_deadline", None)
    if deadline is None:
        deadline = Deadline.after(REQUEST_SECONDS)
        plain._deadline = deadline  # type: ignore[union-attr,attr-defined]
    return deadline
