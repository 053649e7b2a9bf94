"""The pages that mailed links open. GET shows what the link will do and changes nothing; POST does it once.

Programs that check mails open every link, so GET and HEAD must change nothing. The token in the form is the secret,
and no cookie is read. The check of the form's origin is a second line of defence.
"""

from functools import partial
from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from gateway_service.gateway.pages import answers, limit, texts
from gateway_service.gateway.pages.forms import Form, FormUnreadable, read_form, token_of
from gateway_service.gateway.pages.links import PAGES, LinkPage, describe, use
from gateway_service.gateway.transport.origins import is_own_page
from shared.errors import DeadlineExceeded, DomainError, Invalid, RateLimited, Unavailable, protocols_of
from shared.http.addresses import client_ip
from shared.rpc.mapping import locale_from_proto
from shared.rpc.status import RpcFailed
from shared.text import DEFAULT_LOCALE, Locale, Text, locale_of, negotiate

# The link is unknown, used, expired, older than another, or of an account that was closed. The answer never says which.
_GONE: Final = frozenset({"TOKEN_INVALID", "LINK_NOT_WANTED"})
_RETRY_SECONDS: Final = 5

log = structlog.get_logger(__name__)


@csrf_exempt  # no cookie is read, and the origin of the form is checked
async def link_page(request: HttpRequest, page: LinkPage) -> HttpResponse:
    """Answer the page of a link, or 405 for other methods than GET, HEAD and POST."""
    locale = locale_of(request.GET.get("lang")) or negotiate(request.headers.get("Accept-Language")) or DEFAULT_LOCALE
    if request.method in ("GET", "HEAD"):
        return await _show(request, page, locale)
    if request.method == "POST":
        return await _use(request, page, locale)
    refused = answers.problem(request, texts.UNREADABLE, locale=locale, status=405)
    refused["Allow"] = ", ".join(answers.METHODS)
    return refused


async def _show(request: HttpRequest, page: LinkPage, locale: Locale) -> HttpResponse:
    """Show what the link will do, in the language of the mail unless the address names another."""
    token = token_of(request)
    try:
        link = await describe(page, token=token, locale=locale)
    except (DomainError, RpcFailed) as refusal:
        return _refused(request, page, refusal, token=token, locale=locale)
    shown_in = locale_of(request.GET.get("lang")) or locale_from_proto(link.locale)
    return answers.question(request, page, link, token=token, locale=shown_in)


async def _use(request: HttpRequest, page: LinkPage, locale: Locale) -> HttpResponse:
    """Use the link once, and show the result in the language of the form."""
    if not is_own_page(origin=request.headers.get("Origin"), site=request.headers.get("Sec-Fetch-Site")):
        return answers.problem(request, texts.FOREIGN, locale=locale, status=403)
    try:
        form = read_form(request)
    except FormUnreadable as unreadable:
        return answers.problem(request, texts.UNREADABLE, locale=locale, status=unreadable.status)
    locale = form.lang or locale
    try:
        await limit.count_form(client_ip(request))
        await use(page, token=form.token, new_password=form.new_password, locale=locale, request=request)
    except (DomainError, RpcFailed) as refusal:
        if page.asks_password and isinstance(refusal, Invalid) and refusal.code not in _GONE:
            return await _ask_again(request, page, form, refusal, locale=locale)
        return _refused(request, page, refusal, token=form.token, locale=locale)
    return answers.done(request, page, locale=locale)


async def _ask_again(
    request: HttpRequest, page: LinkPage, form: Form, refusal: Invalid, *, locale: Locale
) -> HttpResponse:
    """Show the form once more, with the reason why the password was refused. The link was not used."""
    try:
        link = await describe(page, token=form.token, locale=locale)
    except (DomainError, RpcFailed) as failure:
        return _refused(request, page, failure, token=form.token, locale=locale)
    return answers.question(request, page, link, token=form.token, locale=locale, refusal=refusal.localized(locale))


def _refused(
    request: HttpRequest, page: LinkPage, refusal: DomainError | RpcFailed, *, token: str, locale: Locale
) -> HttpResponse:
    answer = partial(answers.problem, request, locale=locale, token=token)
    if isinstance(refusal, RpcFailed):
        log.error("page_failed", page=page.path, error=type(refusal).__name__)
        return answer(texts.UNAVAILABLE, status=503, retry_after=_RETRY_SECONDS)
    if isinstance(refusal, Unavailable | DeadlineExceeded):
        return answer(texts.UNAVAILABLE, status=503, retry_after=_RETRY_SECONDS)
    if isinstance(refusal, RateLimited):
        return answer(texts.LIMITED, status=429, retry_after=refusal.retry_after)
    if refusal.code in _GONE:
        return answer(texts.GONE, status=410, more=[page.texts.instead])
    reason = refusal.localized(locale)
    said = texts.Message(texts.REFUSED.title, (Text(en=reason, fr=reason), *texts.REFUSED.paragraphs))
    return answer(said, status=protocols_of(refusal).http)


urlpatterns: Final[list[URLPattern]] = [path(page.path, link_page, {"page": page}) for page in PAGES]
