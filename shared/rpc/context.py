"""What a call passes on: the request id, trace and language of the current request."""

from contextlib import AbstractContextManager

from shared.rpc.metadata import Metadata
from shared.telemetry import bind_request, current_locale, current_request_id, current_traceparent

__all__ = ["bound", "current_locale", "current_request_id", "current_traceparent"]


def bound(metadata: Metadata) -> AbstractContextManager[object]:
    """Bind the context in `metadata` during the body. A call without a request id gets a new one."""
    return bind_request(
        request_id=metadata.request_id or None, traceparent=metadata.traceparent or None, locale=metadata.locale
    )
