"""Issue documents: each once, with the next number of its series, in the caller's transaction."""

import dataclasses
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from notifications_service.billing import domain, events
from notifications_service.billing.contracts import InvoiceView, Trip
from notifications_service.billing.domain import Kind, PriceLine
from notifications_service.billing.models import Invoice, InvoiceLine
from shared.db import advisory_xact_lock, clock_now
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
) -> InvoiceView:
    """Issue the booking's invoice with the next number of this year in the seller's zone, and its event.

    Joins the caller's transaction. If that rolls back, the number is given back. No other document is issued before it
    ends, so documents are dated in the order of their numbers. Raises InvoiceDoesNotAddUp.
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
    )


def issue_credit_note(*, invoice: InvoiceView, refund_id: UUID, amount: Money) -> InvoiceView:
    """Issue the credit note of one refund of `invoice`, as `issue_invoice` does."""
    return _issue(
        Kind.CREDIT_NOTE,
        person_id=invoice.person_id,
        booking_id=invoice.booking_id,
        reference=invoice.booking_reference,
        trip=invoice.trip,
        lines=(domain.refund_line(reference=invoice.booking_reference, amount=amount, invoiced=invoice.lines),),
        total=amount,
        refund_id=refund_id,
        credited=invoice,
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
    refund_id: UUID | None = None,
    credited: InvoiceView | None = None,
) -> InvoiceView:
    trip = dataclasses.replace(trip, title=_fit(trip.title))
    lines = tuple(dataclasses.replace(line, label=_fit(line.label)) for line in lines)
    advisory_xact_lock("billing.numbers")
    issued_at = clock_now()  # after the wait for the lock: the document before this one is older
    issued_on = issued_at.astimezone(ZoneInfo(settings.SELLER_TIME_ZONE)).date()
    invoice = Invoice.objects.create(
        number=_next_number(domain.series(kind, issued_on.year)),
        kind=kind.value,
        person_id=person_id,
        booking_id=booking_id,
        booking_reference=reference,
        refund_id=refund_id,
        credits_id=credited.id if credited else None,
        title_en=trip.title.en,
        title_fr=trip.title.fr,
        starts_at=trip.starts_at,
        ends_at=trip.ends_at,
        time_zone=trip.time_zone,
        currency=total.currency,
        total_minor=total.minor,
        issued_at=issued_at,
        issued_on=issued_on,
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            label_en=line.label.en,
            label_fr=line.label.fr,
            quantity=line.quantity,
            unit_minor=line.unit_price.minor,
            total_minor=line.total.minor,
            tax_minor=line.tax.minor,
        )
        for position, line in enumerate(lines, start=1)
    )
    view = InvoiceView(
        id=invoice.id,
        number=invoice.number,
        kind=kind,
        person_id=person_id,
        booking_id=booking_id,
        booking_reference=reference,
        credits_number=credited.number if credited else "",
        trip=trip,
        lines=lines,
        total=total,
        issued_at=issued_at,
        issued_on=issued_on,
    )
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
