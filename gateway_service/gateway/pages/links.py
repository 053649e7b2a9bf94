"""The pages of mailed links: the path of each, what its link is for, and the RPC that uses the link."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.pages import texts
from gateway_service.gateway.upstream import stubs
from shared import rpc
from shared.errors import Invalid
from shared.http.addresses import client_ip
from shared.text import Locale


@dataclass(frozen=True, slots=True)
class LinkPage:
    """One page. `path` is the path of the mailed link, without the first slash."""

    path: str
    use: "users_pb2.LinkUse.ValueType"
    method: Any  # of the stub of users_service; takes a `request`
    request: Callable[..., Any]
    texts: texts.LinkTexts
    asks_password: bool = False


PAGES: Final = (
    LinkPage(
        path="verify-email",
        use=users_pb2.LINK_USE_VERIFY_EMAIL,
        method=stubs.users.VerifyEmail,
        request=users_pb2.VerifyEmailRequest,
        texts=texts.VERIFY_EMAIL,
    ),
    LinkPage(
        path="reset-password",
        use=users_pb2.LINK_USE_RESET_PASSWORD,
        method=stubs.users.ResetPassword,
        request=users_pb2.ResetPasswordRequest,
        texts=texts.RESET_PASSWORD,
        asks_password=True,
    ),
    LinkPage(
        path="confirm-email-change",
        use=users_pb2.LINK_USE_CONFIRM_EMAIL_CHANGE,
        method=stubs.users.ConfirmEmailChange,
        request=users_pb2.ConfirmEmailChangeRequest,
        texts=texts.CONFIRM_EMAIL_CHANGE,
    ),
    LinkPage(
        path="undo-email-change",
        use=users_pb2.LINK_USE_UNDO_EMAIL_CHANGE,
        method=stubs.users.UndoEmailChange,
        request=users_pb2.UndoEmailChangeRequest,
        texts=texts.UNDO_EMAIL_CHANGE,
    ),
    LinkPage(
        path="not-me",
        use=users_pb2.LINK_USE_DISOWN_CHANGE,
        method=stubs.users.DisownChange,
        request=users_pb2.DisownChangeRequest,
        texts=texts.DISOWN_CHANGE,
    ),
)


class LinkUnusable(Invalid):
    """The link is of another page, or is no link at all."""

    code = "TOKEN_INVALID"


async def describe(page: LinkPage, *, token: str, locale: Locale) -> users_pb2.DescribeLinkResponse:
    """Return what the link is for. Nothing changes.

    Raises LinkUnusable, the refusal of users_service, Unavailable, DeadlineExceeded or RpcFailed.
    """
    if not token:
        raise LinkUnusable
    request = users_pb2.DescribeLinkRequest(token=token)
    link = await rpc.aio_call(stubs.users.DescribeLink, request, context=rpc.CallContext(locale=locale))
    if link.use != page.use:
        raise LinkUnusable
    return link


async def use(page: LinkPage, *, token: str, new_password: str, locale: Locale, request: HttpRequest) -> None:
    """Use the link. Raises as `describe` does; a refused password is an Invalid with a field."""
    if not token:
        raise LinkUnusable
    device = users_pb2.ClientDevice(
        ip_address=client_ip(request), user_agent=request.headers.get("User-Agent", "")[:300]
    )
    password = {"new_password": new_password} if page.asks_password else {}
    message = page.request(token=token, device=device, **password)
    await rpc.aio_call(page.method, message, context=rpc.CallContext(locale=locale))
