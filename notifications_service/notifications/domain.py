"""The rules of notifications: their kinds and channels, which of them a person may decline, and when to try again.

Pure: takes `now` and values, returns values or raises. No clock, no settings, no database.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """How a notification is sent."""

    EMAIL = "EMAIL"
    SMS = "SMS"


class Status(StrEnum):
    """The status of a notification. SENDING is committed before the channel is called, SENT right after it accepted."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    SUPPRESSED = "SUPPRESSED"


class Kind(StrEnum):
    """The kind of a notification. The APIs call it its template."""

    VERIFY_EMAIL = "verify_email"
    ALREADY_REGISTERED = "already_registered"
    RESET_PASSWORD = "reset_password"  # noqa: S105 — the name of a kind
    CONFIRM_EMAIL_CHANGE = "confirm_email_change"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PHONE_CHANGED = "phone_changed"
    NEW_DEVICE = "new_device"
    REUSE_DETECTED = "reuse_detected"
    SESSIONS_ENDED = "sessions_ended"
    VERIFY_PHONE = "verify_phone"
    BOOKING_CONFIRMED = "booking_confirmed"
    BOOKING_CHANGED = "booking_changed"
    BOOKING_CANCELLED = "booking_cancelled"
    DEPARTURE_CANCELLED = "departure_cancelled"
    PASSENGER_RENAMED = "passenger_renamed"
    HOLD_EXPIRED = "hold_expired"
    PAYMENT_FAILED = "payment_failed"
    REFUND = "refund"
    WAITLIST_OFFERED = "waitlist_offered"
    WAITLIST_EXPIRED = "waitlist_expired"
    WAITLIST_CLOSED = "waitlist_closed"


@dataclass(frozen=True, slots=True)
class Policy:
    """The channels of a kind. A person cannot decline an `essential` kind: it protects the account."""

    channels: tuple[Channel, ...] = (Channel.EMAIL,)
    essential: bool = False


POLICIES: Final = {
    Kind.VERIFY_EMAIL: Policy(essential=True),
    Kind.ALREADY_REGISTERED: Policy(essential=True),
    Kind.RESET_PASSWORD: Policy(essential=True),
    Kind.CONFIRM_EMAIL_CHANGE: Policy(essential=True),
    Kind.EMAIL_CHANGED: Policy(essential=True),
    Kind.EMAIL_CHANGE_REQUESTED: Policy(essential=True),
    Kind.PASSWORD_CHANGED: Policy(essential=True),
    Kind.PHONE_CHANGED: Policy(essential=True),
    Kind.NEW_DEVICE: Policy(essential=True),
    Kind.REUSE_DETECTED: Policy(essential=True),
    Kind.SESSIONS_ENDED: Policy(essential=True),
    Kind.VERIFY_PHONE: Policy(channels=(Channel.SMS,), essential=True),
    Kind.BOOKING_CONFIRMED: Policy(channels=(Channel.EMAIL, Channel.SMS)),
    Kind.BOOKING_CHANGED: Policy(),
    Kind.BOOKING_CANCELLED: Policy(channels=(Channel.EMAIL, Channel.SMS)),
    Kind.DEPARTURE_CANCELLED: Policy(channels=(Channel.EMAIL, Channel.SMS)),
    Kind.PASSENGER_RENAMED: Policy(),
    Kind.HOLD_EXPIRED: Policy(),
    Kind.PAYMENT_FAILED: Policy(),
    Kind.REFUND: Policy(),
    Kind.WAITLIST_OFFERED: Policy(channels=(Channel.EMAIL, Channel.SMS)),
    Kind.WAITLIST_EXPIRED: Policy(),
    Kind.WAITLIST_CLOSED: Policy(),
}

# How long a worker's claim lasts: longer than all timeouts of one delivery together.
LEASE: Final = timedelta(seconds=20)
# How long delivery is tried before the notification is FAILED.
GIVE_UP_AFTER: Final = timedelta(hours=24)
_BACKOFF: Final = (2, 5, 15, 30, 60, 120, 300)

HOLD_REASONS: Final = frozenset({"HOLD_EXPIRED", "PAYMENT_FAILED"})


@dataclass(frozen=True, slots=True)
class Preferences:
    """The part of a contact that decides whether the person gets a notification."""

    email: str
    phone: str
    phone_verified: bool
    notify_by_email: bool
    notify_by_sms: bool


def suppression_reason(*, kind: Kind, channel: Channel, preferences: Preferences | None) -> str:
    """Return why the notification must not be sent, or "" if it may. `preferences` is None without an account.

    An SMS goes only to a verified number, because an unverified one may be another person's. Only the SMS with the code
    that verifies the number is excepted.
    """
    if preferences is None:
        return "the account no longer exists"
    essential = POLICIES[kind].essential
    if channel is Channel.SMS:
        return _sms_suppression(preferences, essential=essential)
    if not preferences.email:
        return "no address"
    return "" if preferences.notify_by_email or essential else "declined email"


def _sms_suppression(preferences: Preferences, *, essential: bool) -> str:
    if not preferences.phone:
        return "no phone number"
    if essential:
        return ""
    if not preferences.phone_verified:
        return "unverified phone number"
    return "" if preferences.notify_by_sms else "declined SMS"


def next_attempt(*, attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` failed attempts, or None if GIVE_UP_AFTER has passed."""
    if now - created_at > GIVE_UP_AFTER:
        return None
    return now + timedelta(seconds=_BACKOFF[min(attempts, len(_BACKOFF)) - 1])


def cancellation_kind(reason: str) -> Kind:
    """Return the kind of mail for a cancelled booking, by the reason of the cancellation."""
    if reason == "DEPARTURE_CANCELLED":
        return Kind.DEPARTURE_CANCELLED
    return Kind.HOLD_EXPIRED if reason in HOLD_REASONS else Kind.BOOKING_CANCELLED
