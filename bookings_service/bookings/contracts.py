"""What enters and leaves the domain of bookings.

A View is a frozen dataclass that leaves the domain. HTTP views are in `api/`. Values that are part of a View, such as
PassengerKind, are also here. States and reasons are in `domain/`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from bookings_service.payments.contracts import PaymentView, RefundView
from shared.money import Money
from shared.text import Text


class PassengerKind(StrEnum):
    """An adult, or a child under 12."""

    ADULT = "ADULT"
    CHILD = "CHILD"


class ActorKind(StrEnum):
    """Who did something to a booking."""

    TRAVELLER = "traveller"
    STAFF = "staff"
    SYSTEM = "system"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. `id` is set for a person."""

    kind: ActorKind
    id: UUID | None = None


SYSTEM = Actor(ActorKind.SYSTEM)
PROVIDER = Actor(ActorKind.PROVIDER)


@dataclass(frozen=True, slots=True)
class CancellationRule:
    """A cancellation at least `days_before` days before departure refunds `refund_percent` of the price."""

    days_before: int
    refund_percent: int


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A price line. `total` includes `tax`."""

    label: Text
    quantity: int
    unit_price: Money
    total: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class PassengerDetails:
    """A passenger as entered by the traveller."""

    first_name: str
    last_name: str
    kind: PassengerKind
    date_of_birth: date | None = None


@dataclass(frozen=True, slots=True)
class CreateQuote:
    """The request to quote a party on a departure."""

    departure_id: UUID
    adults: int
    children: int
    waitlist_entry_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreateBooking:
    """The request to book a quote."""

    quote_id: UUID
    passengers: tuple[PassengerDetails, ...]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A price that is fixed for one traveller until `expires_at`."""

    id: UUID
    departure_id: UUID
    adults: int
    children: int
    lines: tuple[PriceLine, ...]
    total: Money
    expires_at: datetime
    policy: tuple[CancellationRule, ...]


@dataclass(frozen=True, slots=True)
class PassengerView:
    """A passenger of a booking."""

    id: UUID
    first_name: str
    last_name: str
    kind: PassengerKind
    date_of_birth: date | None
    cancelled: bool


@dataclass(frozen=True, slots=True)
class DepartureChangeView:
    """What the organiser changed after the trip was booked. The booking's own dates are the new ones.

    `previous_starts_at` and `previous_ends_at` are the dates that the traveller bought, or accepted last.
    """

    at: datetime
    reason: str
    previous_starts_at: datetime
    previous_ends_at: datetime
    free_cancellation_until: datetime
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking as it is now. `paid` and `refunded` come from the ledger: `refunded` counts paid-out refunds only."""

    id: UUID
    reference: str
    status: str
    reason: str
    traveller_id: UUID
    departure_id: UUID
    title: Text
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    passengers: tuple[PassengerView, ...]
    lines: tuple[PriceLine, ...]
    total: Money
    paid: Money
    refunded: Money
    hold_expires_at: datetime | None
    sequence: int
    payments: tuple[PaymentView, ...]
    refunds: tuple[RefundView, ...]
    created_at: datetime
    change: DepartureChangeView | None


class BookingFilter(NamedTuple):
    """Which of a traveller's bookings a list has.

    `upcoming` compares the departure with `now`. `starts_from` and `starts_to` are days of departure in the trip's time
    zone, both included. `reference` is the beginning of a reference.
    """

    traveller_id: UUID
    status: str = ""
    upcoming: bool | None = None
    now: datetime | None = None
    starts_from: date | None = None
    starts_to: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntryView:
    """A history entry of a booking."""

    sequence: int
    type: str
    status: str
    reason: str
    at: datetime
    actor: str
    message: Text


@dataclass(frozen=True, slots=True)
class CancellationQuoteView:
    """What cancelling now refunds. `kept` is the fee."""

    id: UUID
    booking_id: UUID
    refund: Money
    kept: Money
    explanation: tuple[Text, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class WaitlistView:
    """An entry of a departure's waiting list. `position` counts from 1, and is None unless the entry is WAITING."""

    id: UUID
    traveller_id: UUID
    departure_id: UUID
    seats: int
    status: str
    position: int | None
    offered_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DepartureSnapshot:
    """What bookings_service keeps of a departure, at one version."""

    departure_id: UUID
    version: int
    capacity: int
    closed: bool
    cancelled: bool
    starts_at: datetime
    ends_at: datetime | None
    rescheduled_at: datetime | None = None
    change_reason: str = ""


@dataclass(frozen=True, slots=True)
class BookingsOfDeparture:
    """The pending and confirmed bookings of a departure, and their passengers who still travel."""

    departure_id: UUID
    bookings: int
    passengers: int


@dataclass(frozen=True, slots=True)
class Seats:
    """The seat counters of a departure."""

    capacity: int
    held: int
    sold: int

    @property
    def free_seats(self) -> int:
        """Capacity − held − sold."""
        return self.capacity - self.held - self.sold
