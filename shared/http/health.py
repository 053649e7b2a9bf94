"""Live means that requests are answered.

Ready means that the own database answers too. Other services are never required. What waits (events, dead letters,
mails) is reported, and never makes a service unready.
"""

from typing import Final

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from shared.db import database_answers
from shared.http.waiting import Waiting

_waiting: Final = Waiting()


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200."""
    return JsonResponse({"status": "live"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the database answers, with the numbers of what waits; 503 otherwise."""
    if not database_answers():
        return JsonResponse({"status": "not ready", "database": "away"}, status=503)
    return JsonResponse({"status": "ready", "database": "ok", "waiting": _waiting.numbers()})


urlpatterns = [path("health/live", live), path("health/ready", ready)]
