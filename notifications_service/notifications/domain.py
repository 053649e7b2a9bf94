"""The rules of telling people: what there is to tell, over which channels, who may decline it, and when to try again.

Pure: takes `now` and values, returns values or raises. No clock, no settings, no database.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """How somebody is told."""

    EMAIL = "EMAIL"
    SMS = "SMS"


class Status(StrEnum):
    """How far a notification is. SENDING is committed before a channel is asked, SENT right after it accepted."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    SUPPRESSED = "SUPPRESSED"


class Kind(StrEnum):
    """What there is to tell; the name is the template's."""

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
    """Over which channels a kind goes; `essential` ones concern the account's safety and cannot be declined."""

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

# How long somebody working on a notification is left alone: more than every timeout of a sending together.
LEASE: Final = timedelta(seconds=20)
# How long delivery of a mail is tried before it counts as failed.
GIVE_UP_AFTER: Final = timedelta(hours=24)
_BACKOFF: Final = (2, 5, 15, 30, 60, 120, 300)

HOLD_REASONS: Final = frozenset({"HOLD_EXPIRED", "PAYMENT_FAILED"})


@dataclass(frozen=True, slots=True)
class Preferences:
    """What of a person's contact decides whether they are told."""

    email: str
    phone: str
    notify_by_email: bool
    notify_by_sms: bool


def suppressed(*, kind: Kind, channel: Channel, preferences: Preferences | None) -> str:
    """Return why this is not to be sent, empty where it is. `preferences` is None for a person who is gone."""
    if preferences is None:
        return "no such person any more"
    if channel is Channel.SMS:
        if not preferences.phone:
            return "no phone"
        return "" if preferences.notify_by_sms else "declined SMS"
    if not preferences.email:
        return "no address"
    return "" if preferences.notify_by_email or POLICIES[kind].essential else "declined email"


def next_attempt(*, attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` that failed in passing, None when it has been tried for long enough."""
    if now - created_at > GIVE_UP_AFTER:
        return None
    return now + timedelta(seconds=_BACKOFF[min(attempts, len(_BACKOFF)) - 1])


def cancellation_kind(reason: str) -> Kind:
    """Return what a cancelled booking's traveller is told, by the booking's reason."""
    if reason == "DEPARTURE_CANCELLED":
        return Kind.DEPARTURE_CANCELLED
    return Kind.HOLD_EXPIRED if reason in HOLD_REASONS else Kind.BOOKING_CANCELLED
