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
    SESSION_REVOKED = "session_revoked"
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
    """The channels of a kind. A person cannot decline the mails of an `essential` kind: they protect the account."""

    channels: tuple[Channel, ...] = (Channel.EMAIL,)
    essential: bool = False


POLICIES: Final = {
    Kind.VERIFY_EMAIL: Policy(essential=True),
    Kind.ALREADY_REGISTERED: Policy(essential=True),
    Kind.SESSION_REVOKED: Policy(essential=True),
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
    notify_by_email: bool
    notify_by_sms: bool


def suppression_reason(*, kind: Kind, channel: Channel, preferences: Preferences | None) -> str:
    """Return why the notification must not be sent, or "" if it may. `preferences` is None without an account."""
    if preferences is None:
        return "the account no longer exists"
    if channel is Channel.SMS:
        if not preferences.phone:
            return "no phone number"
        return "" if preferences.notify_by_sms else "declined SMS"
    if not preferences.email:
        return "no address"
    return "" if preferences.notify_by_email or POLICIES[kind].essential else "declined email"


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
