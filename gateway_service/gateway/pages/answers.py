"""The HTML answers of the pages, and the headers that keep a link's token secret."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.formats import date_format

from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.pages import texts
from gateway_service.gateway.pages.links import LinkPage
from shared.text import Locale, Text

METHODS: Final = ("GET", "HEAD", "POST")
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address of the page has the token
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
_OTHER: Final = {Locale.EN: Locale.FR, Locale.FR: Locale.EN}


def question(
    request: HttpRequest,
    page: LinkPage,
    link: users_pb2.DescribeLinkResponse,
    *,
    token: str,
    locale: Locale,
    refusal: str = "",
) -> HttpResponse:
    """Answer what the link will do, with the form that does it. `refusal` says why the password was refused."""
    title = page.texts.title.in_(locale)
    context = {
        "title": texts.ERROR_TITLE.format(locale, {"title": title}) if refusal else title,
        "heading": title,
        "intro": page.texts.intro.in_(locale),
        "facts": _facts(page, link, locale),
        "token": token,
        "email": link.email,
        "asks_password": page.asks_password,
        "refusal": refusal,
        "button": page.texts.button.in_(locale),
        "if_not_wanted": page.texts.if_not_wanted.in_(locale),
        "new_password_label": texts.NEW_PASSWORD.in_(locale),
        "password_rule": texts.PASSWORD_RULE.in_(locale),
        "problem": texts.PROBLEM.in_(locale),
    }
    status = 422 if refusal else 200
    return _page(request, "question", context, locale=locale, status=status, other=_address(request, token, locale))


def done(request: HttpRequest, page: LinkPage, *, locale: Locale) -> HttpResponse:
    """Answer that the link was used, and what to do next."""
    message = texts.Message(page.texts.done_title, page.texts.done)
    return _message(request, message, locale=locale, status=200, kind="done")


def problem(
    request: HttpRequest,
    message: texts.Message,
    *,
    locale: Locale,
    status: int,
    token: str = "",
    retry_after: int | None = None,
    more: Sequence[Text] = (),
) -> HttpResponse:
    """Answer a page that says what is wrong and what to do. With `retry_after` it has a link to try again."""
    again = f"?{urlencode({'token': token, 'lang': locale.lower()})}" if token and retry_after is not None else ""
    said = texts.Message(message.title, (*message.paragraphs, *more))
    other = _address(request, token, locale)
    response = _message(request, said, locale=locale, status=status, kind="problem", again=again, other=other)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def _message(
    request: HttpRequest,
    message: texts.Message,
    *,
    locale: Locale,
    status: int,
    kind: str,
    again: str = "",
    other: str = "",
) -> HttpResponse:
    context = {
        "title": message.title.in_(locale),
        "heading": message.title.in_(locale),
        "kind": kind,
        "paragraphs": [paragraph.in_(locale) for paragraph in message.paragraphs],
        "again": again,
        "try_again": texts.TRY_AGAIN.in_(locale),
    }
    return _page(request, "message", context, locale=locale, status=status, other=other)


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, locale: Locale, status: int, other: str
) -> HttpResponse:
    """Render a page. `other` is the address of the same page in the other language, or empty if it has none."""
    context |= {
        "lang": locale.lower(),
        "brand": texts.BRAND,
        "tagline": texts.TAGLINE.in_(locale),
        "footer": texts.FOOTER.in_(locale),
        "languages": texts.LANGUAGES.in_(locale),
        "other": other,
        "other_lang": _OTHER[locale].lower(),
    }
    response = render(request, f"gateway/pages/{template}.html", context, status=status)
    for name, value in HEADERS.items():
        response[name] = value
    response["Content-Language"] = locale.lower()
    return response


def _address(request: HttpRequest, token: str, locale: Locale) -> str:
    """Return the address of the page in the other language."""
    query = {"token": token} if token else {}
    return f"{request.path}?{urlencode({**query, 'lang': _OTHER[locale].lower()})}"


def _facts(page: LinkPage, link: users_pb2.DescribeLinkResponse, locale: Locale) -> list[dict[str, str]]:
    """Return what the page shows of the link. Every value is escaped by the template."""
    facts = [{"label": texts.ADDRESS.in_(locale), "value": link.email}]
    if link.first_name:
        facts.append({"label": texts.FIRST_NAME.in_(locale), "value": link.first_name})
    for label, stamp in ((page.texts.requested_at, link.requested_at), (texts.EXPIRES_AT, link.expires_at)):
        at = stamp.ToDatetime(tzinfo=UTC)
        facts.append({"label": label.in_(locale), "value": _in_words(at, locale), "datetime": at.isoformat()})
    return facts


def _in_words(at: datetime, locale: Locale) -> str:
    with translation.override(locale.lower()):
        return date_format(at, texts.DATE_FORMAT.in_(locale))
