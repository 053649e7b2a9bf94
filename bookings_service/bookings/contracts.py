"""What enters and leaves the domain of bookings."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
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
    """Who did something; `id` where it is a person."""

    kind: ActorKind
    id: UUID | None = None


SYSTEM = Actor(ActorKind.SYSTEM)
PROVIDER = Actor(ActorKind.PROVIDER)


@dataclass(frozen=True, slots=True)
class CancellationRule:
    """Cancelled at least `days_before` days before departure, `refund_percent` comes back."""

    days_before: int
    refund_percent: int


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line of a price; `tax` is included in `total`."""

    label: Text
    quantity: int
    unit_price: Money
    total: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class PassengerDetails:
    """A passenger as given by who books."""

    first_name: str
    last_name: str
    kind: PassengerKind
    date_of_birth: date | None = None


@dataclass(frozen=True, slots=True)
class CreateQuote:
    """Ask what a party costs on a departure."""

    departure_id: UUID
    adults: int
    children: int
    waitlist_entry_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreateBooking:
    """Turn a quote into a booking."""

    quote_id: UUID
    passengers: tuple[PassengerDetails, ...]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class QuoteView:
    """A price, fixed until `expires_at` for one traveller."""

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
class BookingView:
    """A booking as it is now; `paid` and `refunded` come from the ledger."""

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


@dataclass(frozen=True, slots=True)
class EventView:
    """One line of a booking's history."""

    sequence: int
    type: str
    status: str
    reason: str
    at: datetime
    actor: str
    message: Text


@dataclass(frozen=True, slots=True)
class CancellationQuoteView:
    """What cancelling now gives back."""

    id: UUID
    booking_id: UUID
    refund: Money
    kept: Money
    explanation: tuple[Text, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class WaitlistView:
    """A group in the line for a departure; `position` is 1 for the next, None unless it waits."""

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


@dataclass(frozen=True, slots=True)
class Seats:
    """A departure's seats."""

    capacity: int
    held: int
    sold: int

    @property
    def available(self) -> int:
        """Seats that can be held now."""
        return self.capacity - self.held - self.sold
