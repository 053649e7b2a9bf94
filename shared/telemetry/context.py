"""The context of the current request: its id, its trace and its language. Safe in threads and in coroutines."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final

from shared.ids import uuid7
from shared.text import DEFAULT_LOCALE, Locale, locale_of

# Values from outside are accepted only if they are harmless in a log line, a header and a database column.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_traceparent: ContextVar[str] = ContextVar("traceparent", default="")
_locale: ContextVar[Locale] = ContextVar("locale", default=DEFAULT_LOCALE)


def new_request_id() -> str:
    """Return a new request id."""
    return uuid7().hex


@contextmanager
def bind_request(
    request_id: str | None = None, traceparent: str | None = None, locale: Locale | str | None = None
) -> Iterator[str]:
    """Make this the current request during the body, and yield its id.

    A missing or malformed id or trace is replaced by a new one. An unknown language becomes the default one.
    """
    accepted = request_id if request_id and _REQUEST_ID.fullmatch(request_id) else new_request_id()
    traced = traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else _new_traceparent()
    spoken = locale if isinstance(locale, Locale) else locale_of(locale) or DEFAULT_LOCALE
    tokens = _request_id.set(accepted), _traceparent.set(traced), _locale.set(spoken)
    try:
        yield accepted
    finally:
        # A stream that its client left is closed by the garbage collector, in another context. Nothing is bound there.
        with suppress(ValueError):
            _request_id.reset(tokens[0])
            _traceparent.reset(tokens[1])
            _locale.reset(tokens[2])


def current_request_id() -> str:
    """Return the id of the current request, or an empty string outside a request."""
    return _request_id.get()


def current_traceparent() -> str:
    """Return the W3C traceparent of the current request, or an empty string outside a request."""
    return _traceparent.get()


def current_locale() -> Locale:
    """Return the language of the current request, or the default one outside a request."""
    return _locale.get()


def _new_traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
