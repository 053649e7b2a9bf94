"""The rules of notifications: their kinds and channels, which of them a person may decline, and when to try again.

Pure: takes `now` and values, returns values or raises. No clock, no settings, no database.
"""

from dataclasses import dataclass
from datetime import datetime
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
    DEPARTURE_MOVED = "departure_moved"
    PASSENGER_RENAMED = "passenger_renamed"
    HOLD_EXPIRED = "hold_expired"
    PAYMENT_FAILED = "payment_failed"
    REFUND = "refund"
    WAITLIST_OFFERED = "waitlist_offered"
    WAITLIST_EXPIRED = "waitlist_expired"
    WAITLIST_CLOSED = "waitlist_closed"


@dataclass(frozen=True, slots=True)
class Policy:
    """The channels of a kind, and whether a person can switch its mail off.

    The mail of a kind that is not `declinable` is always sent. An SMS about a booking always follows the person's
    choice. A kind that `protects_account` says so at the foot of its mail.
    """

    channels: tuple[Channel, ...] = (Channel.EMAIL,)
    declinable: bool = True
    protects_account: bool = False


_ACCOUNT: Final = Policy(declinable=False, protects_account=True)
POLICIES: Final = {
    Kind.VERIFY_EMAIL: _ACCOUNT,
    Kind.ALREADY_REGISTERED: _ACCOUNT,
    Kind.RESET_PASSWORD: _ACCOUNT,
    Kind.CONFIRM_EMAIL_CHANGE: _ACCOUNT,
    Kind.EMAIL_CHANGED: _ACCOUNT,
    Kind.EMAIL_CHANGE_REQUESTED: _ACCOUNT,
    Kind.PASSWORD_CHANGED: _ACCOUNT,
    Kind.PHONE_CHANGED: _ACCOUNT,
    Kind.NEW_DEVICE: _ACCOUNT,
    Kind.REUSE_DETECTED: _ACCOUNT,
    Kind.SESSIONS_ENDED: _ACCOUNT,
    Kind.VERIFY_PHONE: Policy(channels=(Channel.SMS,), declinable=False, protects_account=True),
    Kind.BOOKING_CONFIRMED: Policy(channels=(Channel.EMAIL, Channel.SMS), declinable=False),
    Kind.BOOKING_CHANGED: Policy(declinable=False),
    Kind.BOOKING_CANCELLED: Policy(channels=(Channel.EMAIL, Channel.SMS), declinable=False),
    Kind.DEPARTURE_CANCELLED: Policy(channels=(Channel.EMAIL, Channel.SMS), declinable=False),
    Kind.DEPARTURE_MOVED: Policy(channels=(Channel.EMAIL, Channel.SMS), declinable=False),
    Kind.PASSENGER_RENAMED: Policy(),
    Kind.HOLD_EXPIRED: Policy(),
    Kind.PAYMENT_FAILED: Policy(),
    Kind.REFUND: Policy(),
    Kind.WAITLIST_OFFERED: Policy(channels=(Channel.EMAIL, Channel.SMS)),
    Kind.WAITLIST_EXPIRED: Policy(),
    Kind.WAITLIST_CLOSED: Policy(),
}

# The seconds before the next attempt, after 1, 2, … failures. Each wait is shortened at random by up to half.
RETRY_STEPS: Final = (2, 5, 15, 30, 60, 120, 300, 900, 1800, 3600, 7200, 14400)
# The same while another service is unavailable: it is not the notification's failure, and it passes soon.
UPSTREAM_STEPS: Final = (2, 5, 15, 30)
# The same between the probes of a paused channel.
PROBE_STEPS: Final = (10, 20, 40, 80, 120)
# The failures after which a notification is FAILED. With RETRY_STEPS that is three days for mails, three hours for SMS.
MOST_FAILURES: Final = {Channel.EMAIL: 35, Channel.SMS: 12}

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
    if channel is Channel.SMS:
        return _sms_suppression(kind, preferences)
    if not preferences.email:
        return "no address"
    return "" if preferences.notify_by_email or not POLICIES[kind].declinable else "declined email"


def _sms_suppression(kind: Kind, preferences: Preferences) -> str:
    if not preferences.phone:
        return "no phone number"
    if kind is Kind.VERIFY_PHONE:
        return ""
    if not preferences.phone_verified:
        return "unverified phone number"
    return "" if preferences.notify_by_sms else "declined SMS"


def latest_time(*, kind: Kind, held_until: datetime | None) -> datetime | None:
    """Return the time after which a notification of `kind` must not be sent, or None if it is never too late.

    Two kinds ask the person to act while seats are held. After that, their text is wrong.
    """
    return held_until if kind in (Kind.PAYMENT_FAILED, Kind.WAITLIST_OFFERED) else None


def has_given_up(*, channel: Channel, failures: int) -> bool:
    """Return whether a notification with so many failures is not tried again."""
    return failures >= MOST_FAILURES[channel]


def cancellation_kind(reason: str) -> Kind:
    """Return the kind of mail for a cancelled booking, by the reason of the cancellation."""
    if reason == "DEPARTURE_CANCELLED":
        return Kind.DEPARTURE_CANCELLED
    return Kind.HOLD_EXPIRED if reason in HOLD_REASONS else Kind.BOOKING_CANCELLED
