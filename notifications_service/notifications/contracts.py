"""The values that notifications gives to other code: frozen, never rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from notifications_service.billing.contracts import Trip
from notifications_service.billing.domain import PriceLine
from notifications_service.notifications.domain import Channel, Kind, Status
from shared.money import Money
from shared.text import Text


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """What a mail says about a booking: ids, amounts, title and times. It is stored, so it has no names of people."""

    booking_id: UUID
    reference: str
    sequence: int
    trip: Trip
    seats: int
    lines: tuple[PriceLine, ...]
    total: Money
    reason: str = ""
    held_until: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON for the notification's row."""
        return {
            "booking_id": str(self.booking_id),
            "reference": self.reference,
            "sequence": self.sequence,
            "title": _text(self.trip.title),
            "starts_at": self.trip.starts_at.isoformat(),
            "ends_at": self.trip.ends_at.isoformat(),
            "time_zone": self.trip.time_zone,
            "seats": self.seats,
            "currency": self.total.currency,
            "total": self.total.minor,
            "reason": self.reason,
            "held_until": self.held_until.isoformat() if self.held_until else None,
            "lines": [
                [_text(line.label), line.quantity, line.unit_price.minor, line.total.minor, line.tax.minor]
                for line in self.lines
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the facts that `to_json` wrote."""

        def money(minor: int) -> Money:
            return Money.from_minor(minor, data["currency"])

        return cls(
            booking_id=UUID(data["booking_id"]),
            reference=data["reference"],
            sequence=data["sequence"],
            trip=Trip(
                title=Text(**data["title"]),
                starts_at=datetime.fromisoformat(data["starts_at"]),
                ends_at=datetime.fromisoformat(data["ends_at"]),
                time_zone=data["time_zone"],
            ),
            seats=data["seats"],
            lines=tuple(
                PriceLine(
                    label=Text(**label), quantity=quantity, unit_price=money(unit), total=money(total), tax=money(tax)
                )
                for label, quantity, unit, total, tax in data["lines"]
            ),
            total=money(data["total"]),
            reason=data["reason"],
            held_until=datetime.fromisoformat(data["held_until"]) if data.get("held_until") else None,
        )


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What a mail says about a waiting-list entry. `offered_until` is None if no seats are held for it."""

    title: Text
    starts_at: datetime
    time_zone: str
    seats: int
    offered_until: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON for the notification's row."""
        return {
            "title": _text(self.title),
            "starts_at": self.starts_at.isoformat(),
            "time_zone": self.time_zone,
            "seats": self.seats,
            "offered_until": self.offered_until.isoformat() if self.offered_until else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the facts that `to_json` wrote."""
        until = data["offered_until"]
        return cls(
            title=Text(**data["title"]),
            starts_at=datetime.fromisoformat(data["starts_at"]),
            time_zone=data["time_zone"],
            seats=data["seats"],
            offered_until=datetime.fromisoformat(until) if until else None,
        )


@dataclass(frozen=True, slots=True)
class MoveFacts:
    """What a mail says about a departure that was moved. `reason` is in the words of staff.

    `free_until` is None if the move was small: then nothing is free of charge that was not before.
    """

    previous_starts_at: datetime
    previous_ends_at: datetime
    reason: str
    free_until: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON for the notification's row."""
        return {
            "previous_starts_at": self.previous_starts_at.isoformat(),
            "previous_ends_at": self.previous_ends_at.isoformat(),
            "reason": self.reason,
            "free_until": self.free_until.isoformat() if self.free_until else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the facts that `to_json` wrote."""
        return cls(
            previous_starts_at=datetime.fromisoformat(data["previous_starts_at"]),
            previous_ends_at=datetime.fromisoformat(data["previous_ends_at"]),
            reason=data["reason"],
            free_until=datetime.fromisoformat(data["free_until"]) if data["free_until"] else None,
        )


@dataclass(frozen=True, slots=True)
class NotificationView:
    """A notification as its owner sees it."""

    id: UUID
    person_id: UUID
    channel: Channel
    kind: Kind
    subject: str
    status: Status
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimedNotification:
    """A notification that this worker has claimed. It has everything that its text needs, except the contact.

    `attempts` is the number of this attempt. `is_probe` is whether it probes a paused channel.
    """

    id: UUID
    person_id: UUID
    channel: Channel
    kind: Kind
    attempts: int
    created_at: datetime
    requested_at: datetime
    request_id: str
    traceparent: str = ""
    not_after: datetime | None = None
    is_probe: bool = False
    booking: BookingFacts | None = None
    offer: OfferFacts | None = None
    move: MoveFacts | None = None
    invoice_id: UUID | None = None
    amount: Money | None = None
    link_request: str = ""
    code_request: str = ""
    had_invite: bool = False


def _text(text: Text) -> dict[str, str]:
    return {"en": text.en, "fr": text.fr}
