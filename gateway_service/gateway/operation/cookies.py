"""The refresh token's cookie: out of a page's reach, and sent by pages of our own alone."""

from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any, Final

from django.conf import settings

from contracts.travel.users.v1 import users_pb2

NAME: Final = "travel_refresh"
PATH: Final = "/graphql"


def set_refresh_cookie(cookies: SimpleCookie, tokens: users_pb2.Tokens) -> None:
    """Put the refresh token into a cookie that lives as long as it."""
    until = tokens.refresh_expires_at.ToDatetime(tzinfo=UTC)
    _put(cookies, tokens.refresh_token, max_age=max(0, int((until - datetime.now(UTC)).total_seconds())))


def clear_refresh_cookie(cookies: SimpleCookie) -> None:
    """Take the cookie away."""
    _put(cookies, "", max_age=0)


def _put(cookies: SimpleCookie, value: str, *, max_age: int) -> None:
    cookies[NAME] = value
    attributes: dict[str, Any] = {"path": PATH, "max-age": max_age, "samesite": "Strict", "httponly": True}
    cookies[NAME].update(attributes)
    if settings.COOKIES_SECURE:
        cookies[NAME]["secure"] = True
