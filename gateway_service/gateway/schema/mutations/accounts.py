"""Mutations of accounts. Each calls users_service."""

from datetime import date
from enum import Enum
from typing import Any

import graphene

from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.operation.cookies import clear_refresh_cookie, set_refresh_cookie
from gateway_service.gateway.operation.profile_languages import profile_languages
from gateway_service.gateway.schema.base import Info
from gateway_service.gateway.schema.enums import Locale
from gateway_service.gateway.schema.mutations.client_device import client_device
from gateway_service.gateway.schema.mutations.field import Payload, mutation
from gateway_service.gateway.schema.mutations.payloads import (
    DonePayload,
    ProfilePayload,
    RegisterPayload,
    TokensPayload,
    VerifyEmailPayload,
)
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.schema.user_ref import UserRef
from gateway_service.gateway.upstream import stubs
from shared.errors import Forbidden
from shared.rpc.mapping import locale_to_proto


class RegisterInput(graphene.InputObjectType):
    email = graphene.String(required=True)
    password = graphene.String(required=True)
    first_name = graphene.String(required=True)
    last_name = graphene.String(required=True)
    locale = Locale()
    phone = graphene.String()
    accept_terms = graphene.Boolean(required=True)


class ProfileInput(graphene.InputObjectType):
    first_name = graphene.String()
    last_name = graphene.String()
    phone = graphene.String()
    date_of_birth = Date()
    nationality = graphene.String()
    locale = Locale()
    currency = graphene.String()
    time_zone = graphene.String()
    notify_by_email = graphene.Boolean()
    notify_by_sms = graphene.Boolean()


@mutation(
    RegisterPayload,
    "INVALID_EMAIL WEAK_PASSWORD INVALID_PHONE INVALID_NAME TERMS_NOT_ACCEPTED",
    input=RegisterInput(required=True),
)
async def register(info: Info, input: RegisterInput) -> Payload:
    """Register: the mailed link makes the account. For an address that has one, only the mail differs."""
    locale = await info.context.locale()
    request = users_pb2.RegisterRequest(
        email=input.email,
        password=input.password,
        first_name=input.first_name,
        last_name=input.last_name,
        locale=input.locale.value if input.get("locale") else locale_to_proto(locale),
        phone=input.get("phone") or "",
        accept_terms=input.accept_terms,
        ip_address=info.context.ip_address,
    )
    await info.context.call(stubs.users.Register, request)
    return {}


@mutation(VerifyEmailPayload, "TOKEN_INVALID", token=graphene.String(required=True))
async def verify_email(info: Info, token: str) -> Payload:
    """Confirm the address by the token from its mail, and so make the account."""
    request = users_pb2.VerifyEmailRequest(token=token, device=client_device(info))
    await info.context.call(stubs.users.VerifyEmail, request)
    return {}


@mutation(DonePayload, email=graphene.String(required=True))
async def resend_verification(info: Info, email: str) -> Payload:
    """Mail another verification link. The answer does not reveal whether the address is registered."""
    request = users_pb2.ResendVerificationRequest(email=email, ip_address=info.context.ip_address)
    await info.context.call(stubs.users.ResendVerification, request)
    return {}


@mutation(
    TokensPayload,
    "INVALID_CREDENTIALS TWO_FACTOR_REQUIRED INVALID_CODE RATE_LIMITED",
    email=graphene.String(required=True),
    password=graphene.String(required=True),
    one_time_code=graphene.String(),
    use_cookie=graphene.Boolean(),
)
async def login(
    info: Info, email: str, password: str, one_time_code: str | None = None, use_cookie: bool | None = None
) -> Payload:
    """Sign in. With `useCookie` the refresh token goes into a cookie instead of the payload."""
    if use_cookie:
        info.context.check_cookies_can_be_set()
    request = users_pb2.LoginRequest(
        email=email,
        password=password,
        one_time_code=one_time_code or "",
        user_agent=info.context.user_agent,
        ip_address=info.context.ip_address,
    )
    answer = await info.context.call(stubs.users.Login, request)
    return _tokens(info, answer.tokens, in_cookie=bool(use_cookie))


@mutation(TokensPayload, "TOKEN_INVALID", refresh_token=graphene.String())
async def refresh_tokens(info: Info, refresh_token: str | None = None) -> Payload:
    """Exchange the refresh token of the argument, or else of the cookie, for new tokens.

    Raises Forbidden if the cookie is needed and the request comes from a page of another site. Raises CookieNotPossible
    if the cookie is needed over WebSocket or SSE: the successor would be lost.
    """
    from_cookie = refresh_token is None
    if from_cookie and info.context.refresh_cookie and not info.context.cookie_allowed:
        raise Forbidden
    if from_cookie:
        info.context.check_cookies_can_be_set()
    token = info.context.refresh_cookie if refresh_token is None else refresh_token
    request = users_pb2.RefreshTokensRequest(refresh_token=token, device=client_device(info))
    answer = await info.context.call(stubs.users.RefreshTokens, request)
    return _tokens(info, answer.tokens, in_cookie=from_cookie)


@mutation(DonePayload, refresh_token=graphene.String(), everywhere=graphene.Boolean())
async def logout(info: Info, refresh_token: str | None = None, everywhere: bool | None = None) -> Payload:
    """End the session of the refresh token, or all sessions, and delete the cookie."""
    cookie = info.context.refresh_cookie if info.context.cookie_allowed else ""
    if cookie and not refresh_token:
        info.context.check_cookies_can_be_set()
    request = users_pb2.LogoutRequest(
        refresh_token=refresh_token or cookie, everywhere=bool(everywhere), device=client_device(info)
    )
    await info.context.call(stubs.users.Logout, request)
    if info.context.refresh_cookie:
        clear_refresh_cookie(info.context.cookies)
    return {}


@mutation(
    ProfilePayload,
    "INVALID_NAME INVALID_PHONE INVALID_DATE INVALID_COUNTRY INVALID_CURRENCY INVALID_TIME_ZONE",
    input=ProfileInput(required=True),
)
async def update_profile(info: Info, input: ProfileInput) -> Payload:
    """Change all given fields, or none if one is refused. Null or an empty text clears an optional field."""
    traveller = info.context.signed_in_traveller()
    changes = {name: _plain(value) for name, value in input.items() if value is not None or name in _CLEARABLE}
    request = users_pb2.UpdateProfileRequest(**changes, device=client_device(info))
    await info.context.call(stubs.users.UpdateProfile, request)
    profile_languages.pop(traveller.id, None)
    return {"user": UserRef(str(traveller.id))}


_CLEARABLE = frozenset({"phone", "date_of_birth", "nationality"})


def _plain(value: str | bool | date | Enum | None) -> Any:
    """Return an input's value as its protobuf field takes it: an empty text for None."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _tokens(info: Info, tokens: users_pb2.Tokens, *, in_cookie: bool) -> Payload:
    if in_cookie:
        set_refresh_cookie(info.context.cookies, tokens)
    return {
        "access_token": tokens.access_token,
        "refresh_token": None if in_cookie else tokens.refresh_token,
        "expires_in": tokens.expires_in_seconds,
    }
