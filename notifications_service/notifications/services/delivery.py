"""Deliver a notification: claim it, ask users_service for the contact, write the message, send it, record the result.

A message with a secret link or code goes to the contact that users_service names with the secret.

A mail is never lost. SENDING is committed before the mail server is called, SENT right after its 250. If the worker is
killed in between, the same mail goes out again under the same Message-ID. An SMS is sent at most once. Rendered mails,
secret links and codes are not stored.
"""

from uuid import UUID

import structlog
from django.db import DatabaseError

from notifications_service import upstream
from notifications_service.billing import selectors as billing_selectors
from notifications_service.billing import services as billing
from notifications_service.billing.documents.pdf import file_name
from notifications_service.notifications.calendar import Method, calendar_file
from notifications_service.notifications.channels import sms
from notifications_service.notifications.channels.mail import (
    Attachment,
    Mail,
    Mailer,
    MailRefused,
    MailServerUnavailable,
    sender_address,
)
from notifications_service.notifications.content import mail_content, sms_text
from notifications_service.notifications.contracts import ClaimedNotification
from notifications_service.notifications.domain import Channel, Kind, Preferences, Status, suppression_reason
from notifications_service.notifications.rendering import html_of, text_of
from notifications_service.notifications.services import attempts
from notifications_service.upstream import Contact, Link, NotWanted, PhoneCode
from shared.db import database_now
from shared.errors import Conflict, DeadlineExceeded, NotFound, Unavailable
from shared.telemetry import bind_request
from shared.text import DEFAULT_LOCALE

log = structlog.get_logger(__name__)
_mailer = Mailer()


def deliver(*, notification_id: UUID) -> Status | None:
    """Deliver the notification and return its new status. Return None if this worker could not claim it."""
    claimed = attempts.claim(notification_id)
    if claimed is None:
        return None
    with bind_request(request_id=claimed.request_id):
        outcome, cause = _attempt(claimed)
        log.info(
            "notification",
            notification_id=str(claimed.id),
            kind=claimed.kind.value,
            channel=claimed.channel.value,
            outcome=outcome.value,
            cause=cause,
        )
    return outcome


def _attempt(claimed: ClaimedNotification) -> tuple[Status, str]:
    """Make one attempt and record how it ended. Return the new status and its cause.

    A DatabaseError is raised: the notification stays claimed, and another worker goes on after the lease.
    """
    try:
        link = upstream.mint_link(request_id=claimed.link_request) if claimed.link_request else None
        code = upstream.mint_phone_code(request_id=claimed.code_request) if claimed.code_request else None
        secret = link or code
        contact = secret.contact if secret else upstream.contact_of(person_id=claimed.person_id)
        locale = contact.locale if contact else DEFAULT_LOCALE
        reason = suppression_reason(
            kind=claimed.kind, channel=claimed.channel, preferences=_preferences(contact) if contact else None
        )
        if contact is None or reason:
            attempts.record_suppressed(claimed, reason, locale)
            return Status.SUPPRESSED, reason
        if claimed.channel is Channel.SMS:
            return _send_sms(claimed, contact, code)
        _mailer.send(_mail(claimed, contact, link))
    except NotWanted as error:
        attempts.record_suppressed(claimed, str(error), DEFAULT_LOCALE)
        return Status.SUPPRESSED, str(error)
    except (Unavailable, DeadlineExceeded, MailServerUnavailable) as error:
        cause = f"{type(error).__name__}: {error}"
        attempts.record_postponed(claimed, cause)
        return Status.PENDING, cause
    except (MailRefused, NotFound, Conflict) as error:
        cause = f"{type(error).__name__}: {error}"
        attempts.record_failed(claimed, cause)
        return Status.FAILED, cause
    except DatabaseError:
        raise
    except Exception as error:
        cause = type(error).__name__
        log.exception("notification_attempt_broke", notification_id=str(claimed.id), kind=claimed.kind.value)
        attempts.record_postponed(claimed, cause)
        return Status.PENDING, cause
    attempts.record_sent(claimed, locale)
    return Status.SENT, ""


def _send_sms(claimed: ClaimedNotification, contact: Contact, code: PhoneCode | None) -> tuple[Status, str]:
    text = sms_text(notification=claimed, contact=contact, code=code)
    provider = sms.provider()
    attempts.record_given_to_provider(claimed)
    try:
        provider.send(to=contact.phone, text=text, notification_id=claimed.id, sent_at=database_now())
    except OSError as error:
        cause = type(error).__name__
        attempts.record_failed(claimed, cause)
        return Status.FAILED, cause
    attempts.record_sent(claimed, contact.locale)
    return Status.SENT, ""


def _mail(claimed: ClaimedNotification, contact: Contact, link: Link | None) -> Mail:
    """Return the whole mail, with its documents and calendar. Raises MailRefused for an address that is malformed."""
    if not contact.email.isprintable():
        raise MailRefused("the address is malformed")
    invoice, attachments = None, []
    if claimed.invoice_id:
        invoice = billing_selectors.get_invoice(invoice_id=claimed.invoice_id)
        pdf = billing.document_pdf(invoice=invoice, ask=lambda _: billing.recipient_from(contact))
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
    )


def _calendar_method(claimed: ClaimedNotification) -> Method | None:
    if claimed.kind is Kind.BOOKING_CONFIRMED:
        return "REQUEST"
    is_cancelled = claimed.kind in (Kind.BOOKING_CANCELLED, Kind.DEPARTURE_CANCELLED)
    return "CANCEL" if is_cancelled and claimed.had_invite else None


def _calendar(claimed: ClaimedNotification, contact: Contact, method: Method) -> bytes:
    if claimed.booking is None:
        return b""
    return calendar_file(
        booking=claimed.booking, contact=contact, organizer=sender_address(), method=method, now=claimed.created_at
    )


def _preferences(contact: Contact) -> Preferences:
    return Preferences(
        email=contact.email,
        phone=contact.phone,
        phone_verified=contact.phone_verified,
        notify_by_email=contact.notify_by_email,
        notify_by_sms=contact.notify_by_sms,
    )
