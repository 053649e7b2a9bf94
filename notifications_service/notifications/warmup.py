"""Load what would slow the first mail down: templates, fonts, the dates of both languages, the channel to users."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from notifications_service import upstream
from notifications_service.billing import services as billing
from notifications_service.billing.contracts import InvoiceView, Trip
from notifications_service.billing.documents.pdf import invoice_pdf
from notifications_service.billing.domain import Kind as InvoiceKind
from notifications_service.billing.domain import PriceLine
from notifications_service.notifications.calendar import calendar_file
from notifications_service.notifications.content import mail_content
from notifications_service.notifications.contracts import BookingFacts, ClaimedNotification
from notifications_service.notifications.domain import Channel, Kind
from notifications_service.notifications.rendering import html_of, text_of
from notifications_service.upstream import Contact
from shared.money import Money
from shared.text import Locale, Text

_NOBODY = UUID(int=0)


def warm_up(*, with_documents: bool) -> None:
    """Render a confirmation in each language and send it to nobody. Without documents, 30 MB of fonts stay unloaded."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    price, word = Money.from_minor(100, "EUR"), Text(en="–", fr="–")
    trip = Trip(title=word, starts_at=now, ends_at=now + timedelta(days=1), time_zone="UTC")
    lines = (PriceLine(label=word, quantity=1, unit_price=price, total=price, tax=price),)
    booking = BookingFacts(
        booking_id=_NOBODY, reference="–", sequence=1, trip=trip, seats=1, lines=lines, total=price, reason=""
    )
    invoice = InvoiceView(
        id=_NOBODY,
        number="–",
        kind=InvoiceKind.INVOICE,
        person_id=_NOBODY,
        booking_id=_NOBODY,
        booking_reference="–",
        credits_number="",
        trip=trip,
        lines=lines,
        total=price,
        issued_at=now,
        issued_on=now.date(),
    )
    notification = ClaimedNotification(
        id=_NOBODY,
        person_id=_NOBODY,
        channel=Channel.EMAIL,
        kind=Kind.BOOKING_CONFIRMED,
        attempts=1,
        created_at=now,
        requested_at=now,
        request_id="",
        booking=booking,
    )
    for locale in Locale:
        contact = Contact("nobody@travel.example", "–", "–", "", locale, False, False)
        content = mail_content(notification=notification, contact=contact, invoice_number="–")
        html_of(content)
        text_of(content)
        if with_documents:
            invoice_pdf(invoice=invoice, recipient=billing.recipient_from(contact))
        calendar_file(booking=booking, contact=contact, organizer=contact.email, method="REQUEST", now=now)
    upstream.warm_up()
