"""The values that billing gives to other code: frozen, never rows."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from notifications_service.billing.domain import Kind, PriceLine
from shared.money import Money
from shared.text import Locale, Text


@dataclass(frozen=True, slots=True)
class Trip:
    """The trip that was bought, as the booking says. Instants are in UTC; documents show them in `time_zone`."""

    title: Text
    starts_at: datetime
    ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """The person a document is made out to. Stored apart from the document, so that it can be erased."""

    name: str
    email: str
    locale: Locale


@dataclass(frozen=True, slots=True)
class InvoiceHeader:
    """An invoice or credit note as lists show it, without its trip and lines."""

    id: UUID
    number: str
    kind: Kind
    person_id: UUID
    booking_id: UUID
    booking_reference: str
    total: Money
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice or credit note as issued: it never changes. A credit note's `total` is the amount refunded.

    `issued_on` is the date on the document, in the seller's zone.
    """

    id: UUID
    number: str
    kind: Kind
    person_id: UUID
    booking_id: UUID
    booking_reference: str
    credits_number: str
    trip: Trip
    lines: tuple[PriceLine, ...]
    total: Money
    issued_at: datetime
    issued_on: date
