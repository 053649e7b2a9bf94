"""The request's context in Celery: added to a task's headers when it is sent, and bound again when it runs."""

from contextlib import AbstractContextManager
from typing import Any, Final

from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun

from shared.telemetry.context import bind_request, current_locale, current_request_id, current_traceparent

_HEADER: Final = "travel_context"
_running: dict[str, AbstractContextManager[str]] = {}


def connect() -> None:
    """Carry request id, trace and language with every task that this process sends and runs.

    A second call does nothing.

    Celery's own logging set-up is switched off, so that Django's LOGGING is used in workers too.
    """
    before_task_publish.connect(_put, dispatch_uid="travel.telemetry.put")
    task_prerun.connect(_bind, dispatch_uid="travel.telemetry.bind")
    task_postrun.connect(_unbind, dispatch_uid="travel.telemetry.unbind")
    setup_logging.connect(_keep_djangos_logging, dispatch_uid="travel.telemetry.logging")


def _put(*, headers: dict[str, Any], **_: Any) -> None:
    headers.setdefault(
        _HEADER,
        {"request_id": current_request_id(), "traceparent": current_traceparent(), "locale": current_locale().value},
    )


def _bind(*, task_id: str, task: Any, **_: Any) -> None:
    values = getattr(task.request, _HEADER, None) or {}
    context = bind_request(**{key: str(values.get(key) or "") for key in ("request_id", "traceparent", "locale")})
    context.__enter__()
    _running[task_id] = context


def _unbind(*, task_id: str, **_: Any) -> None:
    if context := _running.pop(task_id, None):
        context.__exit__(None, None, None)


def _keep_djangos_logging(**_: Any) -> None:
    """Do nothing. Celery does not configure logging if the signal has a receiver."""
