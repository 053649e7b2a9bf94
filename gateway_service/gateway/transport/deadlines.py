"""The deadline that a caller sends with an operation."""

from typing import Final

from gateway_service.gateway.execution.errors import InvalidRequest, bad_input
from gateway_service.gateway.transport.requests import Request
from shared.deadline import Deadline

_HEADER: Final = b"x-request-timeout-ms"
_DIGITS: Final = 9


def caller_deadline(request: Request) -> Deadline | None:
    """Return the instant X-Request-Timeout-Ms after the request arrived, or None without the header.

    Raises InvalidRequest unless the header is a whole number of milliseconds, 1 or more.
    """
    value = request.header(_HEADER)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS and int(value)):
        raise InvalidRequest([bad_input("X-Request-Timeout-Ms must be a whole number of milliseconds, 1 or more.")])
    return Deadline(at=request.arrived + int(value) / 1000)
