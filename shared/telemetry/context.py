"""The context of the request at hand: its id, its trace and its language. Safe in threads and in coroutines."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from shared.ids import uuid7
from shared.text import DEFAULT_LOCALE, Locale, locale_of

# What others send is taken over only where it is harmless in a log line, a header and a database column.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_traceparent: ContextVar[str] = ContextVar("traceparent", default="")
_locale: ContextVar[Locale] = ContextVar("locale", default=DEFAULT_LOCALE)


def new_request_id() -> str:
    """Return a request id of our own."""
    return uuid7().hex


@contextmanager
def bind_request(
    request_id: str | None = None, traceparent: str | None = None, locale: Locale | str | None = None
) -> Iterator[str]:
    """Make this the request at hand while inside, and yield its id.

    An id or a trace that is missing or malformed is replaced by a new one; an unknown language is the default one.
    """
    accepted = request_id if request_id and _REQUEST_ID.fullmatch(request_id) else new_request_id()
    traced = traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else _new_traceparent()
    spoken = locale if isinstance(locale, Locale) else locale_of(locale) or DEFAULT_LOCALE
    tokens = _request_id.set(accepted), _traceparent.set(traced), _locale.set(spoken)
    try:
        yield accepted
    finally:
        _request_id.reset(tokens[0])
        _traceparent.reset(tokens[1])
        _locale.reset(tokens[2])


def current_request_id() -> str:
    """Return the id of the request at hand; empty outside of one."""
    return _request_id.get()


def current_traceparent() -> str:
    """Return the W3C traceparent of the request at hand; empty outside of one."""
    return _traceparent.get()


def current_locale() -> Locale:
    """Return the language of the request at hand; the default one outside of one."""
    return _locale.get()


def _new_traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
