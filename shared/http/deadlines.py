"""How long a REST request may take."""

from django.http import HttpRequest
from rest_framework.request import Request

from shared.deadline import Deadline

REQUEST_SECONDS = 10.0


def deadline_of(request: Request | HttpRequest) -> Deadline:
    """Return the request's deadline: ten seconds after the first call, and the same at every call."""
    attributes = vars(request._request if isinstance(request, Request) else request)
    deadline: Deadline = attributes.setdefault("_deadline", Deadline.after(REQUEST_SECONDS))
    return deadline
