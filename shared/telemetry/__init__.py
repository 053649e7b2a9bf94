"""Structured logs, and one request id from the first HTTP request to the last mail.

`bind_request` opens a request's context, `current_*` read it, and `logging_config` is Django's LOGGING. Each transport
carries the context in its own headers: HTTP in shared.http, gRPC in shared.rpc, Kafka in shared.outbox and
shared.inbox, Celery in shared.telemetry.celery.
"""

from shared.telemetry.context import (
    bind_request,
    current_locale,
    current_request_id,
    current_traceparent,
    new_request_id,
)
from shared.telemetry.logs import logging_config
from shared.telemetry.redaction import redact

__all__ = [
    "bind_request",
    "current_locale",
    "current_request_id",
    "current_traceparent",
    "logging_config",
    "new_request_id",
    "redact",
]
