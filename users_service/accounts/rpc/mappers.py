"""The contracts of accounts as protobuf messages, and requests as contracts."""

from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

from contracts.travel.common.v1 import common_pb2
from contracts.travel.users.v1 import users_pb2 as pb
from shared.errors import Invalid
from shared.pages import Page
from shared.rpc.mapping import locale_from_proto, locale_to_proto, page_info, ts
from users_service.accounts.contracts import (
    Device,
    Link,
    LinkDescription,
    LinkUse,
    MintedPhoneCode,
    Registration,
    SecurityEvent,
    SessionView,
    StaffView,
    Tokens,
    UserView,
)


def user_to_proto(user: UserView) -> pb.User:
    """Return an account as a message."""
    profile = user.profile
    return pb.User(
        id=str(user.id),
        email=user.email,
        email_verified=user.email_verified,
        created_at=ts(user.created_at),
        profile=pb.Profile(
            first_name=profile.first_name,
            last_name=profile.last_name,
            phone=profile.phone,
            phone_verified=profile.phone_verified,
            date_of_birth=profile.date_of_birth.isoformat() if profile.date_of_birth else "",
            nationality=profile.nationality,
            locale=locale_to_proto(profile.locale),
            currency=profile.currency,
            time_zone=profile.time_zone,
            notify_by_email=profile.notify_by_email,
            notify_by_sms=profile.notify_by_sms,
        ),
    )


def contact_to_proto(user: UserView) -> pb.Contact:
    """Return the contact of a person as a message."""
    profile = user.profile
    return pb.Contact(
        id=str(user.id),
        email=user.email,
        email_verified=user.email_verified,
        first_name=profile.first_name,
        last_name=profile.last_name,
        phone=profile.phone,
        phone_verified=profile.phone_verified,
        locale=locale_to_proto(profile.locale),
        time_zone=profile.time_zone,
        notify_by_email=profile.notify_by_email,
        notify_by_sms=profile.notify_by_sms,
    )


def link_to_proto(link: Link) -> pb.MintLinkResponse:
    """Return a minted link and its recipient as a message."""
    recipient = link.recipient
    return pb.MintLinkResponse(
        url=link.url,
        expires_at=ts(link.expires_at),
        contact=pb.Contact(
            id=str(recipient.id),
            email=recipient.email,
            first_name=recipient.first_name,
            last_name=recipient.last_name,
            locale=locale_to_proto(recipient.locale),
            time_zone=recipient.time_zone,
            notify_by_email=True,
        ),
    )


_LINK_USES: Final = {
    LinkUse.VERIFY_EMAIL: pb.LINK_USE_VERIFY_EMAIL,
    LinkUse.RESET_PASSWORD: pb.LINK_USE_RESET_PASSWORD,
    LinkUse.CONFIRM_EMAIL_CHANGE: pb.LINK_USE_CONFIRM_EMAIL_CHANGE,
    LinkUse.UNDO_EMAIL_CHANGE: pb.LINK_USE_UNDO_EMAIL_CHANGE,
    LinkUse.DISOWN_CHANGE: pb.LINK_USE_DISOWN_CHANGE,
}


def link_description_to_proto(link: LinkDescription) -> pb.DescribeLinkResponse:
    """Return what a link is for as a message."""
    return pb.DescribeLinkResponse(
        use=_LINK_USES[link.use],
        email=link.email,
        first_name=link.first_name,
        requested_at=ts(link.requested_at),
        expires_at=ts(link.expires_at),
        locale=locale_to_proto(link.locale),
    )


def phone_code_to_proto(code: MintedPhoneCode) -> pb.MintPhoneCodeResponse:
    """Return a minted code as a message."""
    return pb.MintPhoneCodeResponse(
        code=code.code, phone=code.phone, expires_at=ts(code.expires_at), locale=locale_to_proto(code.locale)
    )


def tokens_to_proto(tokens: Tokens) -> pb.Tokens:
    """Return a pair of tokens as a message."""
    return pb.Tokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in_seconds=tokens.expires_in,
        refresh_expires_at=ts(tokens.refresh_expires_at),
    )


def staff_to_proto(staff: StaffView) -> pb.Staff:
    """Return a staff account as a message."""
    return pb.Staff(
        id=str(staff.id),
        email=staff.email,
        first_name=staff.first_name,
        last_name=staff.last_name,
        groups=staff.groups,
        is_superuser=staff.is_superuser,
        is_active=staff.is_active,
    )


def session_to_proto(session: SessionView) -> pb.Session:
    """Return a signed-in device as a message."""
    return pb.Session(
        id=str(session.id),
        created_at=ts(session.created_at),
        last_used_at=ts(session.last_used_at),
        user_agent=session.user_agent,
        ip_address=session.ip_address,
        device=session.device,
        current=session.current,
    )


def security_events_to_proto(traveller_id: UUID, page: Page[SecurityEvent]) -> pb.SecurityEventPage:
    """Return a page of security events as a message."""
    return pb.SecurityEventPage(
        traveller_id=str(traveller_id),
        edges=[
            pb.SecurityEventEdge(
                cursor=cursor,
                node=pb.SecurityEvent(
                    at=ts(event.at), type=event.type, user_agent=event.user_agent, ip_address=event.ip_address
                ),
            )
            for event, cursor in zip(page.rows, page.cursors, strict=True)
        ],
        page_info=page_info(cursors=page.cursors, has_next=page.has_next, has_previous=page.has_previous),
    )


def to_device(device: pb.ClientDevice) -> Device:
    """Return where a request comes from as a contract. Raises Invalid."""
    return Device(ip_address=to_network_address(device.ip_address), user_agent=device.user_agent)


def to_network_address(text: str) -> str:
    """Return the network address that the caller names, or an empty text if it names none. Raises Invalid."""
    try:
        return str(ip_address(text)) if text else ""
    except ValueError:
        raise Invalid(field="ip_address") from None


def to_registration(request: pb.RegisterRequest) -> Registration:
    """Return the request of somebody who registers as a contract."""
    return Registration(
        email=request.email,
        password=request.password,
        first_name=request.first_name,
        last_name=request.last_name,
        locale=locale_from_proto(request.locale) if request.locale else None,
        phone=request.phone,
        accept_terms=request.accept_terms,
    )


def to_changes(request: pb.UpdateProfileRequest) -> dict[str, Any]:
    """Return only the fields that are present in the request."""
    changes = {field.name: value for field, value in request.ListFields() if field.name != "device"}
    if "locale" in changes:
        changes["locale"] = locale_from_proto(changes["locale"] or common_pb2.LOCALE_EN).value
    return changes
