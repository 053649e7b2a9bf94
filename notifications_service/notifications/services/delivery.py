"""Tell one person one thing: claim, ask who they are, write, hand over, note it.

Mail is never lost: SENDING is committed before, SENT right after the server's 250; killed in between, the same mail goes
out again under the same Message-ID. An SMS is sent at most once. Rendered mails and secret links are kept nowhere.
"""

import dataclasses
from uuid import UUID

import structlog
from django.db import DatabaseError

from notifications_service import people
from notifications_service.billing import selectors as billing
from notifications_service.billing.documents import pdf
from notifications_service.billing.render import document
from notifications_service.notifications.calendar import Method, calendar_file
from notifications_service.notifications.channels import sms
from notifications_service.notifications.channels.mail import (
    Attachment,
    Mail,
    Mailer,
    MailRefused,
    MailServerAway,
    sender_address,
)
from notifications_service.notifications.contracts import Job
from notifications_service.notifications.domain import Channel, Kind, Preferences, Status, suppressed
from notifications_service.notifications.letters import letter_for, sms_for
from notifications_service.notifications.rendering import html_of, text_of
from notifications_service.notifications.services import ledger
from notifications_service.people import Contact
from shared.db import database_now
from shared.errors import Conflict, DeadlineExceeded, NotFound, Unavailable
from shared.telemetry import bind_request
from shared.text import DEFAULT_LOCALE

log = structlog.get_logger(__name__)
_mailer = Mailer()


def deliver(*, notification_id: UUID) -> Status | None:
    """Deliver the notification, and return how that ended; None where it was not this worker's to deliver."""
    job = ledger.claim(notification_id)
    if job is None:
        return None
    with bind_request(request_id=job.request_id):
        outcome, cause = _attempt(job)
        log.info(
            "notification",
            notification_id=str(job.id),
            kind=job.kind.value,
            channel=job.channel.value,
            outcome=outcome.value,
            cause=cause,
        )
    return outcome


def _attempt(job: Job) -> tuple[Status, str]:
    try:
        contact = people.contact_of(person_id=job.person_id)
        locale = contact.locale if contact else DEFAULT_LOCALE
        reason = suppressed(kind=job.kind, channel=job.channel, preferences=_preferences(contact))
        if contact is None or reason:
            ledger.suppressed(job, reason, locale)
            return Status.SUPPRESSED, reason
        if job.channel is Channel.SMS:
            return _send_sms(job, contact)
        _mailer.send(_mail(job, contact))
    except (Unavailable, DeadlineExceeded, MailServerAway) as error:
        cause = f"{type(error).__name__}: {error}"
        ledger.postponed(job, cause)
        return Status.PENDING, cause
    except (MailRefused, NotFound, Conflict) as error:
        cause = f"{type(error).__name__}: {error}"
        ledger.failed(job, cause)
        return Status.FAILED, cause
    except DatabaseError:
        raise  # claimed as it is: whoever finds it after the lease goes on
    except Exception as error:
        log.exception("notification broke", notification_id=str(job.id), kind=job.kind.value, exc_info=error)
        cause = type(error).__name__
        ledger.postponed(job, cause)
        return Status.PENDING, cause
    ledger.sent(job, locale)
    return Status.SENT, ""


def _send_sms(job: Job, contact: Contact) -> tuple[Status, str]:
    text = sms_for(job=job, contact=contact)
    provider = sms.provider()
    ledger.handed(job)
    try:
        provider.send(to=contact.phone, text=text, notification_id=job.id, sent_at=database_now())
    except OSError as error:
        cause = type(error).__name__
        ledger.failed(job, cause)
        return Status.FAILED, cause
    ledger.sent(job, contact.locale)
    return Status.SENT, ""


def _mail(job: Job, contact: Contact) -> Mail:
    if not contact.email.isprintable():
        raise MailRefused("the address is none")
    link, invoice, files = "", None, []
    if job.link_request:
        link, expires_at = people.mint_link(request_id=job.link_request)
        job = dataclasses.replace(job, link_expires_at=expires_at)
    if job.invoice_id:
        invoice = billing.get_invoice(invoice_id=job.invoice_id)
        files.append(
            Attachment(
                name=pdf.file_name(invoice),
                subtype="pdf",
                content=document(invoice=invoice, ask=lambda _: contact.recipient),
            )
        )
    letter = letter_for(job=job, contact=contact, link=link, invoice_number=invoice.number if invoice else "")
    method = _calendar_method(job)
    calendar = (
        calendar_file(
            booking=job.booking, contact=contact, organizer=sender_address(), method=method, now=job.created_at
        )
        if method and job.booking
        else b""
    )
    return Mail(
        key=str(job.id),
        to=contact.email,
        subject=letter.subject,
        text=text_of(letter),
        html=html_of(letter),
        language=letter.locale.value.lower(),
        date=job.created_at,
        attachments=files,
        calendar=calendar,
        calendar_method=method or "",
    )


def _calendar_method(job: Job) -> Method | None:
    if job.kind is Kind.BOOKING_CONFIRMED:
        return "REQUEST"
    is_cancelled = job.kind in (Kind.BOOKING_CANCELLED, Kind.DEPARTURE_CANCELLED)
    return "CANCEL" if is_cancelled and job.had_invite else None


def _preferences(contact: Contact | None) -> Preferences | None:
    if contact is None:
        return None
    return Preferences(
        email=contact.email,
        phone=contact.phone,
        notify_by_email=contact.notify_by_email,
        notify_by_sms=contact.notify_by_sms,
    )
