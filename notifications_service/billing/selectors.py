"""Reads of billing. They return contracts, never rows; only a list to page over in REST is a queryset."""
# ruff: noqa: S608 — the statements are put together from constants. Every value is a parameter.

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from notifications_service.billing.contracts import InvoiceHeader, InvoiceView, Recipient, Trip
from notifications_service.billing.domain import Kind, PriceLine
from notifications_service.billing.models import Invoice, InvoiceRecipient
from shared.errors import NotFound
from shared.money import Money
from shared.pages import Key, Listing, Page
from shared.statement import Statement
from shared.text import Locale, Text


def get_invoice(*, invoice_id: UUID, person_id: UUID | None = None) -> InvoiceView:
    """Return the document. If `person_id` is given, it must be that person's. Raises NotFound."""
    invoice = _INVOICE.first(id=invoice_id, person_id=person_id)
    if invoice is None:
        raise NotFound
    return invoice


def get_header(*, invoice_id: UUID, person_id: UUID) -> InvoiceHeader:
    """Return the document of the person, without its lines. Raises NotFound."""
    headers = invoices_by_id(ids=[invoice_id], person_id=person_id)
    if not headers:
        raise NotFound
    return headers[0]


def invoices_page(*, person_id: UUID, traveller_id: UUID, first: int, after: str) -> Page[InvoiceHeader]:
    """Return a page of the person's documents, newest first. It is empty unless the person is the traveller.

    Raises Invalid (field `after`).
    """
    return _HEADERS_OF_PERSON.page(first=first, after=after, person_id=person_id, traveller_id=traveller_id)


def invoices_of_person(*, person_id: UUID) -> QuerySet[Invoice]:
    """Return the person's documents for paging, newest first. Map each row with `to_header`."""
    return Invoice.objects.filter(person_id=person_id).order_by("-id")


def invoices_by_id(*, ids: Iterable[UUID], person_id: UUID) -> list[InvoiceHeader]:
    """Return the documents that belong to the person. Skip the others."""
    return _HEADERS_BY_ID.all(ids=list(ids), person_id=person_id)


def invoices_of_bookings(*, booking_ids: Sequence[UUID], person_id: UUID) -> dict[UUID, list[InvoiceHeader]]:
    """Return each booking's documents that belong to the person, oldest first."""
    documents: dict[UUID, list[InvoiceHeader]] = {booking_id: [] for booking_id in booking_ids}
    for header in _HEADERS_OF_BOOKINGS.all(booking_ids=list(documents), person_id=person_id):
        documents[header.booking_id].append(header)
    return documents


def documents_of_booking(*, booking_id: UUID) -> list[InvoiceHeader]:
    """Return every document of a booking, oldest first. For staff: it does not ask whose they are."""
    return _HEADERS_OF_BOOKINGS.all(booking_ids=[booking_id], person_id=None)


def invoice_of_booking(*, booking_id: UUID) -> InvoiceView | None:
    """Return the booking's invoice, or None if the booking was never confirmed."""
    return _INVOICE_OF_BOOKING.first(booking_id=booking_id)


def credit_note_of_refund(*, refund_id: UUID) -> InvoiceView | None:
    """Return the credit note of a refund, or None if it was not issued."""
    return _CREDIT_NOTE.first(refund_id=refund_id)


def recipient_of(*, invoice_id: UUID) -> Recipient | None:
    """Return the stored recipient of the document, or None if it was never rendered."""
    row = InvoiceRecipient.objects.filter(invoice_id=invoice_id).first()
    return Recipient(name=row.name, email=row.email, locale=Locale(row.locale)) if row else None


def to_header(invoice: Invoice) -> InvoiceHeader:
    """Return the invoice as lists show it."""
    return _header(*attrgetter(*_HEADER_COLUMNS)(invoice))


def _header(
    id: UUID, number: str, kind: str, person_id: UUID, booking_id: UUID, booking_reference: str, total_minor: int,
    currency: str, issued_at: datetime,
) -> InvoiceHeader:  # fmt: skip
    total = Money.from_minor(total_minor, currency)
    return InvoiceHeader(id, number, Kind(kind), person_id, booking_id, booking_reference, total, issued_at)


def _invoice(
    id: UUID, number: str, kind: str, person_id: UUID, booking_id: UUID, booking_reference: str, total_minor: int,
    currency: str, issued_at: datetime, issued_on: date, credits_number: str, title_en: str, title_fr: str,
    starts_at: datetime, ends_at: datetime, time_zone: str, lines: Iterable[Sequence[Any]],
) -> InvoiceView:  # fmt: skip
    def money(minor: int) -> Money:
        return Money.from_minor(minor, currency)

    return InvoiceView(
        id=id,
        number=number,
        kind=Kind(kind),
        person_id=person_id,
        booking_id=booking_id,
        booking_reference=booking_reference,
        credits_number=credits_number,
        trip=Trip(title=Text(title_en, title_fr), starts_at=starts_at, ends_at=ends_at, time_zone=time_zone),
        lines=tuple(
            PriceLine(Text(label_en, label_fr), quantity, money(unit), money(total), money(tax))
            for label_en, label_fr, quantity, unit, total, tax in lines
        ),
        total=money(total_minor),
        issued_at=issued_at,
        issued_on=issued_on,
    )


# The parameters of `_header`, and the first ones of `_invoice`, in their order.
_HEADER_COLUMNS: Final = (
    "id", "number", "kind", "person_id", "booking_id", "booking_reference", "total_minor", "currency", "issued_at",
)  # fmt: skip
_SELECT_HEADER: Final = f"SELECT {', '.join(_HEADER_COLUMNS)} FROM billing_invoice"
_SELECT_INVOICE: Final = f"""
SELECT {", ".join(_HEADER_COLUMNS)},
    coalesce(issued_on, (issued_at AT TIME ZONE 'UTC')::date),
    coalesce((SELECT number FROM billing_invoice credited WHERE credited.id = invoice.credits_id), ''),
    title_en, title_fr, starts_at, ends_at, time_zone,
    ARRAY(
        SELECT ROW(label_en, label_fr, quantity, unit_minor, total_minor, tax_minor)
        FROM billing_invoiceline WHERE invoice_id = invoice.id ORDER BY position
    )
FROM billing_invoice invoice"""
_IF_OF_PERSON: Final = "(%(person_id)s::uuid IS NULL OR person_id = %(person_id)s::uuid)"

_INVOICE: Final = Statement(_invoice, f"{_SELECT_INVOICE} WHERE id = %(id)s AND {_IF_OF_PERSON}")
_INVOICE_OF_BOOKING: Final = Statement(
    _invoice, f"{_SELECT_INVOICE} WHERE booking_id = %(booking_id)s AND kind = 'INVOICE'"
)
_CREDIT_NOTE: Final = Statement(_invoice, f"{_SELECT_INVOICE} WHERE refund_id = %(refund_id)s")
_HEADERS_BY_ID: Final = Statement(
    _header, f"{_SELECT_HEADER} WHERE id = ANY(%(ids)s) AND person_id = %(person_id)s ORDER BY id DESC"
)
_HEADERS_OF_BOOKINGS: Final = Statement(
    _header, f"{_SELECT_HEADER} WHERE booking_id = ANY(%(booking_ids)s) AND {_IF_OF_PERSON} ORDER BY id"
)
_HEADERS_OF_PERSON: Final = Listing(
    _header, f"{_SELECT_HEADER} WHERE person_id = %(person_id)s AND person_id = %(traveller_id)s", kind="invoice",
    keys=[Key("id", UUID, descending=True)],  # a UUIDv7's order is the order of creation
)  # fmt: skip
