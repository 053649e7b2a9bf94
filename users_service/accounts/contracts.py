"""The values that accounts gives to other code: frozen, never rows."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from shared.text import Locale


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A traveller's profile; `phone` is E.164 or empty."""

    first_name: str
    last_name: str
    phone: str
    phone_verified: bool
    date_of_birth: date | None
    nationality: str
    locale: Locale
    currency: str
    time_zone: str
    notify_by_email: bool
    notify_by_sms: bool


@dataclass(frozen=True, slots=True)
class UserView:
    """An account with its profile."""

    id: UUID
    email: str
    email_verified: bool
    created_at: datetime
    profile: ProfileView


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a sign-in or a rotation. `expires_in` is the lifetime of the access token in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    refresh_expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """A signed-in device. `device` is it in words, or empty. `current` marks the session that asks."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    user_agent: str
    ip_address: str
    device: str
    current: bool


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """Something that happened to an account, or was refused. `type` is an AuditAction."""

    id: int
    at: datetime
    type: str
    user_agent: str
    ip_address: str


class LinkUse(StrEnum):
    """What a mailed link does. The value is the path of the gateway's page that the link opens."""

    VERIFY_EMAIL = "verify-email"
    RESET_PASSWORD = "reset-password"  # noqa: S105 — the path of a page
    CONFIRM_EMAIL_CHANGE = "confirm-email-change"
    UNDO_EMAIL_CHANGE = "undo-email-change"
    DISOWN_CHANGE = "not-me"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a mail, and in which language. `id` is the account, or the registration that becomes the account."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    locale: Locale
    time_zone: str


@dataclass(frozen=True, slots=True)
class Link:
    """A minted link and its recipient. Its token is not stored, so this is the only copy. `url` may be empty."""

    url: str = field(repr=False)
    expires_at: datetime
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class LinkDescription:
    """What a link is for. `first_name` is that of a registration, so that its owner recognises it; else empty."""

    use: LinkUse
    email: str
    first_name: str
    requested_at: datetime
    expires_at: datetime
    locale: Locale


@dataclass(frozen=True, slots=True)
class MintedPhoneCode:
    """A minted code and the number that it verifies, E.164. The code is not stored, so this is the only copy."""

    code: str = field(repr=False)
    phone: str = field(repr=False)
    expires_at: datetime
    locale: Locale


@dataclass(frozen=True, slots=True)
class StaffView:
    """A staff account, for the admins of the other services."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    groups: tuple[str, ...]
    is_superuser: bool
    is_active: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """The request of somebody who registers."""

    email: str
    password: str = field(repr=False)
    first_name: str
    last_name: str
    locale: Locale | None
    phone: str
    accept_terms: bool


@dataclass(frozen=True, slots=True)
class Device:
    """The network address and the browser that a request comes from."""

    ip_address: str
    user_agent: str = ""
