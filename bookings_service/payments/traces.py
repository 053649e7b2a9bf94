"""The request that made a payment or a refund. What settles it later continues the trace of that request."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bookings_service.payments.models import Payment, Refund
from shared.telemetry import bind_request, current_locale, current_request_id, current_traceparent

log = structlog.get_logger(__name__)


def current_trace() -> dict[str, str]:
    """Return the current request's values for the columns of a new payment or refund."""
    return {"request_id": current_request_id(), "traceparent": current_traceparent()}


@contextmanager
def continued(row: Payment | Refund) -> Iterator[None]:
    """Continue the request that made `row` during the body.

    If another request is current, such as the provider's webhook, both ids are logged. A row of an older release has no
    trace: the current request goes on, or a new one begins.
    """
    other = current_request_id()
    with bind_request(row.request_id or other, row.traceparent or current_traceparent(), current_locale()):
        if other and other != current_request_id():
            log.info("trace.continued", row_id=str(row.id), by_request=other)
        yield
