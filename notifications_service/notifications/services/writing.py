"""Write the whole mail of a notification: its words, its documents and its calendar."""

from notifications_service.billing import selectors as billing_selectors
from notifications_service.billing import services as billing
from notifications_service.billing.documents.pdf import file_name
from notifications_service.notifications.calendar import Method, calendar_file
from notifications_service.notifications.channels.mail import sender_address
from notifications_service.notifications.channels.mime import Attachment, Mail
from notifications_service.notifications.content import mail_content
from notifications_service.notifications.contracts import ClaimedNotification
from notifications_service.notifications.domain import Kind
from notifications_service.notifications.rendering import html_of, text_of
from notifications_service.upstream import Contact, Link


def write_mail(claimed: ClaimedNotification, contact: Contact, link: Link | None) -> Mail:
    """Return the mail. It is the same at every attempt, except for a secret link."""
    invoice, attachments = None, []
    if claimed.invoice_id:
        invoice = billing_selectors.get_invoice(invoice_id=claimed.invoice_id)
        pdf = billing.document_pdf_for(invoice=invoice, recipient=billing.recipient_from(contact))
        attachments.append(Attachment(name=file_name(invoice), subtype="pdf", content=pdf))
    content = mail_content(
        notification=claimed, contact=contact, link=link, invoice_number=invoice.number if invoice else ""
    )
    method = _calendar_method(claimed)
    return Mail(
        key=str(claimed.id),
        to=contact.email,
        subject=content.subject,
        text=text_of(content),
        html=html_of(content),
        language=content.locale.value.lower(),
        date=claimed.created_at,
        attachments=attachments,
        calendar=_calendar(claimed, contact, method) if method else b"",
        calendar_method=method or "",
        trace_id=claimed.traceparent[3:35],
    )


def _calendar_method(claimed: ClaimedNotification) -> Method | None:
    if claimed.kind is Kind.BOOKING_CONFIRMED or (claimed.kind is Kind.DEPARTURE_MOVED and claimed.had_invite):
        return "REQUEST"
    is_cancelled = claimed.kind in (Kind.BOOKING_CANCELLED, Kind.DEPARTURE_CANCELLED)
    return "CANCEL" if is_cancelled and claimed.had_invite else None


def _calendar(claimed: ClaimedNotification, contact: Contact, method: Method) -> bytes:
    if claimed.booking is None:
        return b""
    return calendar_file(
        booking=claimed.booking, contact=contact, organizer=sender_address(), method=method, now=claimed.created_at
    )
