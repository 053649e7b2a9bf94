"""Mutations of what protects an account: its password, address, phone and sessions. Each calls users_service."""

import graphene

from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.ids import raw_id
from gateway_service.gateway.schema.base import Info
from gateway_service.gateway.schema.mutations.client_device import client_device
from gateway_service.gateway.schema.mutations.field import Payload, mutation
from gateway_service.gateway.schema.mutations.payloads import DonePayload
from gateway_service.gateway.upstream import stubs
from shared.errors import NotFound


@mutation(DonePayload, email=graphene.String(required=True))
async def request_password_reset(info: Info, email: str) -> Payload:
    """Mail a link that sets a new password. The answer does not reveal whether the address has an account."""
    request = users_pb2.RequestPasswordResetRequest(email=email, device=client_device(info))
    await info.context.call(stubs.users.RequestPasswordReset, request)
    return {}


@mutation(
    DonePayload,
    "TOKEN_INVALID WEAK_PASSWORD",
    token=graphene.String(required=True),
    new_password=graphene.String(required=True),
)
async def reset_password(info: Info, token: str, new_password: str) -> Payload:
    """Set a new password by the token from the mail, and end every session."""
    request = users_pb2.ResetPasswordRequest(token=token, new_password=new_password, device=client_device(info))
    await info.context.call(stubs.users.ResetPassword, request)
    return {}


@mutation(
    DonePayload,
    "INVALID_CREDENTIALS WEAK_PASSWORD",
    current_password=graphene.String(required=True),
    new_password=graphene.String(required=True),
)
async def change_password(info: Info, current_password: str, new_password: str) -> Payload:
    """Change the password, and end every other session."""
    info.context.signed_in_traveller()
    request = users_pb2.ChangePasswordRequest(
        current_password=current_password, new_password=new_password, device=client_device(info)
    )
    await info.context.call(stubs.users.ChangePassword, request)
    return {}


@mutation(
    DonePayload,
    "INVALID_CREDENTIALS INVALID_EMAIL",
    new_email=graphene.String(required=True),
    password=graphene.String(required=True),
)
async def change_email(info: Info, new_email: str, password: str) -> Payload:
    """Mail a link to the new address. The account keeps its address until the link is used."""
    info.context.signed_in_traveller()
    request = users_pb2.ChangeEmailRequest(new_email=new_email, password=password, device=client_device(info))
    await info.context.call(stubs.users.ChangeEmail, request)
    return {}


@mutation(DonePayload, "TOKEN_INVALID", token=graphene.String(required=True))
async def confirm_email_change(info: Info, token: str) -> Payload:
    """Give the account its new address by the token from the mail."""
    request = users_pb2.ConfirmEmailChangeRequest(token=token, device=client_device(info))
    await info.context.call(stubs.users.ConfirmEmailChange, request)
    return {}


@mutation(DonePayload, "INVALID_CODE NO_PHONE RATE_LIMITED", code=graphene.String())
async def verify_phone(info: Info, code: str | None = None) -> Payload:
    """Without a code, send one by SMS. With a code, verify the phone number of the profile."""
    info.context.signed_in_traveller()
    request = users_pb2.VerifyPhoneRequest(code=code or "", device=client_device(info))
    await info.context.call(stubs.users.VerifyPhone, request)
    return {}


@mutation(DonePayload, "NOT_FOUND", id=graphene.ID(required=True))
async def revoke_session(info: Info, id: str) -> Payload:
    """End one of the traveller's own sessions."""
    info.context.signed_in_traveller()
    session_id = raw_id(id, "Session", "id", refusal=NotFound)
    request = users_pb2.RevokeSessionRequest(id=session_id, device=client_device(info))
    await info.context.call(stubs.users.RevokeSession, request)
    return {}
