"""The cookie of the refresh token. No script can read it, and browsers send it only for pages of the same site."""

from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Final

from django.conf import settings

from contracts.travel.users.v1 import users_pb2
from shared.errors import Invalid
from shared.text import Text

NAME: Final = "travel_refresh"
PATH: Final = "/graphql"


class CookieNotPossible(Invalid):
    """The answer cannot carry a cookie, because its headers are sent before the operation runs."""

    code = "COOKIE_NOT_POSSIBLE"
    text = Text(
        en="This answer cannot carry a cookie. Send the operation by POST and accept application/json.",
        fr="Cette réponse ne peut pas porter de cookie. Envoyez l’opération par POST et acceptez application/json.",
    )


def set_refresh_cookie(cookies: SimpleCookie, tokens: users_pb2.Tokens) -> None:
    """Put the refresh token into a cookie that expires with the token."""
    until = tokens.refresh_expires_at.ToDatetime(tzinfo=UTC)
    _put(cookies, tokens.refresh_token, max_age=max(0, int((until - datetime.now(UTC)).total_seconds())))


def clear_refresh_cookie(cookies: SimpleCookie) -> None:
    """Make the browser delete the cookie."""
    _put(cookies, "", max_age=0)


def _put(cookies: SimpleCookie, value: str, *, max_age: int) -> None:
    cookies[NAME] = value
    morsel = cookies[NAME]
    morsel["path"] = PATH
    morsel["max-age"] = max_age
    morsel["samesite"] = "Strict"
    morsel["httponly"] = True
    if settings.COOKIES_SECURE:
        morsel["secure"] = True
