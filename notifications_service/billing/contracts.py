"""What leaves billing: frozen values, never rows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications_service.billing.domain import Kind, Line
from shared.money import Money
from shared.text import Locale, Text


@dataclass(frozen=True, slots=True)
class Trip:
    """What was bought, as the booking kept it. Instants are UTC, shown in `time_zone`."""

    title: Text
    starts_at: datetime
    ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a document is made out to, in whose language. Kept apart from the document: it goes when the law lets it."""

    name: str
    email: str
    locale: Locale


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice or credit note as issued: nothing of it ever changes. A credit note's `total` is what came back."""

    id: UUID
    number: str
    kind: Kind
    person_id: UUID
    booking_id: UUID
    booking_reference: str
    credits_number: str
    trip: Trip
    lines: tuple[Line, ...]
    total: Money
    issued_at: datetime
