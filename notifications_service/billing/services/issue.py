"""Issue documents: each once, with the next number of its series, in the caller's transaction."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from notifications_service.billing import domain, events
from notifications_service.billing.contracts import InvoiceView, Trip
from notifications_service.billing.domain import Kind, PriceLine
from notifications_service.billing.models import Invoice, InvoiceLine
from notifications_service.billing.selectors import get_invoice
from shared.money import Money
from shared.text import Text


def issue_invoice(
    *,
    person_id: UUID,
    booking_id: UUID,
    reference: str,
    trip: Trip,
    lines: tuple[PriceLine, ...],
    total: Money,
    now: datetime,
) -> InvoiceView:
    """Issue the booking's invoice with the next number of this year, and its event.

    Joins the caller's transaction. If that rolls back, the number is given back. No other invoice gets a number before
    it ends. Raises InvoiceDoesNotAddUp.
    """
    domain.check_sum(lines, total)
    return _issue(
        Kind.INVOICE,
        person_id=person_id,
        booking_id=booking_id,
        reference=reference,
        trip=trip,
        lines=lines,
        total=total,
        now=now,
    )


def issue_credit_note(*, invoice: InvoiceView, refund_id: UUID, amount: Money, now: datetime) -> InvoiceView:
    """Issue the credit note of one refund of `invoice`, as `issue_invoice` does."""
    return _issue(
        Kind.CREDIT_NOTE,
        person_id=invoice.person_id,
        booking_id=invoice.booking_id,
        reference=invoice.booking_reference,
        trip=invoice.trip,
        lines=(domain.refund_line(reference=invoice.booking_reference, amount=amount, invoiced=invoice.lines),),
        total=amount,
        now=now,
        refund_id=refund_id,
        credits_id=invoice.id,
    )


@transaction.atomic
def _issue(
    kind: Kind,
    *,
    person_id: UUID,
    booking_id: UUID,
    reference: str,
    trip: Trip,
    lines: tuple[PriceLine, ...],
    total: Money,
    now: datetime,
    refund_id: UUID | None = None,
    credits_id: UUID | None = None,
) -> InvoiceView:
    invoice = Invoice.objects.create(
        number=_next_number(domain.series(kind, now.year)),
        kind=kind.value,
        person_id=person_id,
        booking_id=booking_id,
        booking_reference=reference,
        refund_id=refund_id,
        credits_id=credits_id,
        title_en=_fit(trip.title).en,
        title_fr=_fit(trip.title).fr,
        starts_at=trip.starts_at,
        ends_at=trip.ends_at,
        time_zone=trip.time_zone,
        currency=total.currency,
        total_minor=total.minor,
        issued_at=now,
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            label_en=_fit(line.label).en,
            label_fr=_fit(line.label).fr,
            quantity=line.quantity,
            unit_minor=line.unit_price.minor,
            total_minor=line.total.minor,
            tax_minor=line.tax.minor,
        )
        for position, line in enumerate(lines, start=1)
    )
    view = get_invoice(invoice_id=invoice.id)
    events.issued(view)
    return view


def _next_number(series: str) -> str:
    """Return the series' next number. Its row stays locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_numberseries AS s (name, last) VALUES (%s, 1)"
            " ON CONFLICT (name) DO UPDATE SET last = s.last + 1 RETURNING last",
            [series],
        )
        (count,) = cursor.fetchone()
    return domain.number(series, count)


def _fit(text: Text) -> Text:
    return Text(en=text.en[:255], fr=(text.fr or text.en)[:255])
