"""What a call inherits and hands on: request id, trace and language of the work at hand."""

from contextlib import AbstractContextManager

from shared.rpc.metadata import Metadata
from shared.telemetry import bind_request, current_locale, current_request_id, current_traceparent

__all__ = ["bound", "current_locale", "current_request_id", "current_traceparent"]


def bound(metadata: Metadata) -> AbstractContextManager[object]:
    """Bind the context of the call that `metadata` came with, while inside; a call without a request id gets one."""
    return bind_request(
        request_id=metadata.request_id or None, traceparent=metadata.traceparent or None, locale=metadata.locale
    )
