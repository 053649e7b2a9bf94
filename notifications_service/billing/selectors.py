"""Reads of billing. They return contracts, never rows; only a list to page over is a queryset."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from notifications_service.billing.contracts import InvoiceView, Recipient, Trip
from notifications_service.billing.domain import Kind, PriceLine
from notifications_service.billing.models import Invoice, InvoiceLine, InvoiceRecipient
from shared.errors import NotFound
from shared.money import Money
from shared.text import Locale, Text

# Every mail with a document reads one, and queries built by the ORM take three times as long.
_INVOICE: Final = """
SELECT * FROM billing_invoice
WHERE id = %(id)s AND (%(person_id)s::uuid IS NULL OR person_id = %(person_id)s::uuid)"""
_LINES: Final = "SELECT * FROM billing_invoiceline WHERE invoice_id = %s ORDER BY position"


def get_invoice(*, invoice_id: UUID, person_id: UUID | None = None) -> InvoiceView:
    """Return the document. If `person_id` is given, it must be that person's. Raises NotFound."""
    found: Any = Invoice.objects.raw(_INVOICE, {"id": invoice_id, "person_id": person_id})
    invoice = next(iter(found), None)
    if invoice is None:
        raise NotFound
    return to_view(invoice, lines=InvoiceLine.objects.raw(_LINES, [invoice_id]))


def invoices_of_person(*, person_id: UUID) -> QuerySet[Invoice]:
    """Return the person's documents for paging, newest first. Map each row with `to_view`."""
    return _rows().filter(person_id=person_id).order_by("-id")


def invoices_by_id(*, ids: Iterable[UUID], person_id: UUID) -> list[InvoiceView]:
    """Return the documents that belong to the person. Skip the others."""
    return [to_view(row) for row in _rows().filter(id__in=list(ids), person_id=person_id)]


def invoices_of_bookings(*, booking_ids: Sequence[UUID], person_id: UUID) -> dict[UUID, list[InvoiceView]]:
    """Return each booking's documents that belong to the person, oldest first."""
    documents: dict[UUID, list[InvoiceView]] = {booking_id: [] for booking_id in booking_ids}
    for row in _rows().filter(booking_id__in=booking_ids, person_id=person_id).order_by("id"):
        documents[row.booking_id].append(to_view(row))
    return documents


def documents_of_booking(*, booking_id: UUID) -> list[InvoiceView]:
    """Return every document of a booking, oldest first. For staff: it does not ask whose they are."""
    return [to_view(row) for row in _rows().filter(booking_id=booking_id).order_by("id")]


def invoice_of_booking(*, booking_id: UUID) -> InvoiceView | None:
    """Return the booking's invoice, or None if the booking was never confirmed."""
    row = _rows().filter(booking_id=booking_id, kind=Kind.INVOICE).first()
    return to_view(row) if row else None


def credit_note_of_refund(*, refund_id: UUID) -> InvoiceView | None:
    """Return the credit note of a refund, or None if it was not issued."""
    row = _rows().filter(refund_id=refund_id).first()
    return to_view(row) if row else None


def recipient_of(*, invoice_id: UUID) -> Recipient | None:
    """Return the stored recipient of the document, or None if it was never rendered."""
    row = InvoiceRecipient.objects.filter(invoice_id=invoice_id).first()
    return Recipient(name=row.name, email=row.email, locale=Locale(row.locale)) if row else None


def to_view(invoice: Invoice, *, lines: Iterable[InvoiceLine] | None = None) -> InvoiceView:
    """Return the invoice with its lines as a contract. Without `lines`, they are the prefetched ones."""

    def money(minor: int) -> Money:
        return Money.from_minor(minor, invoice.currency)

    return InvoiceView(
        id=invoice.id,
        number=invoice.number,
        kind=Kind(invoice.kind),
        person_id=invoice.person_id,
        booking_id=invoice.booking_id,
        booking_reference=invoice.booking_reference,
        credits_number=invoice.credits.number if invoice.credits else "",
        trip=Trip(
            title=Text(en=invoice.title_en, fr=invoice.title_fr),
            starts_at=invoice.starts_at,
            ends_at=invoice.ends_at,
            time_zone=invoice.time_zone,
        ),
        lines=tuple(
            PriceLine(
                label=Text(en=line.label_en, fr=line.label_fr),
                quantity=line.quantity,
                unit_price=money(line.unit_minor),
                total=money(line.total_minor),
                tax=money(line.tax_minor),
            )
            for line in (invoice.lines.all() if lines is None else lines)
        ),
        total=money(invoice.total_minor),
        issued_at=invoice.issued_at,
        issued_on=invoice.issued_on or invoice.issued_at.astimezone(UTC).date(),
    )


def _rows() -> QuerySet[Invoice]:
    lines = Prefetch("lines", queryset=InvoiceLine.objects.order_by("position"))
    return Invoice.objects.select_related("credits").prefetch_related(lines)
