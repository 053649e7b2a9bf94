"""Deliver a notification: claim it, ask users_service for the contact, write the message, send it, record the result.

A message with a secret link or code goes to the contact that users_service names with the secret.

A mail is never lost. SENDING is committed before the mail server is called, SENT right after its 250. If the worker is
lost in between, the same mail goes out again under the same Message-ID. An SMS is sent at most once. Rendered mails,
secret links and codes are not stored.
"""

import time
from typing import Final
from uuid import UUID

import structlog
from django.db import DatabaseError

from notifications_service import upstream
from notifications_service.notifications.channels import sms
from notifications_service.notifications.channels.faults import (
    AddressMalformed,
    AddressRefused,
    ChannelFault,
    ChannelUnusable,
    MessageRefused,
    OutcomeUnknown,
    TryLater,
)
from notifications_service.notifications.channels.mail import Mailer, check_address
from notifications_service.notifications.content import sms_text
from notifications_service.notifications.contracts import ClaimedNotification
from notifications_service.notifications.domain import Channel, Preferences, Status, suppression_reason
from notifications_service.notifications.services import attempts, pauses, undeliverable
from notifications_service.notifications.services.attempts import Outdated, Suppressed
from notifications_service.notifications.services.writing import write_mail
from notifications_service.upstream import Contact, Link, NotWanted, PhoneCode
from shared.errors import Conflict, DeadlineExceeded, DomainError, NotFound, Unavailable
from shared.failpoints import failpoint
from shared.telemetry import bind_request
from shared.text import DEFAULT_LOCALE, Locale

log = structlog.get_logger(__name__)
_mailer = Mailer()
_EXPECTED: Final = (Outdated, Suppressed, NotWanted, ChannelFault, DomainError)


def deliver(*, notification_id: UUID) -> Status | None:
    """Deliver the notification and return its new status.

    Return None if this worker could not claim it, or if its lease ended meanwhile.
    """
    lease = _Lease()
    claimed = attempts.claim(notification_id)
    if claimed is None:
        return None
    with bind_request(request_id=claimed.request_id, traceparent=claimed.traceparent):
        failpoint("delivery.claimed")
        return _attempt(claimed, lease)


class _Lease:
    """Renews the lease of a claim in a long conversation."""

    def __init__(self) -> None:
        self._renewed = time.monotonic()  # before the claim, so that the lease ends later than this says

    def renew_if_old(self, claimed: ClaimedNotification) -> None:
        """Renew the lease when a quarter has passed. Raises Outdated or Suppressed if nothing more may be sent."""
        now = time.monotonic()
        if now - self._renewed > attempts.lease().total_seconds() / 4:
            attempts.renew(claimed)
            self._renewed = now


def _attempt(claimed: ClaimedNotification, lease: _Lease) -> Status | None:
    """Make one attempt and record how it ended. Return the new status, or None if the attempt was outdated.

    A DatabaseError is raised: the notification stays claimed, and another worker goes on after the lease.
    """
    error: Exception | None = None
    locale = DEFAULT_LOCALE
    try:
        locale = _send(claimed, lease)
    except DatabaseError:
        raise
    except _EXPECTED as expected:
        error = expected
    except Exception as unexpected:
        log.exception("notification_attempt_broke", notification_id=str(claimed.id), kind=claimed.kind.value)
        error = unexpected
    outcome = _record(claimed, error, locale)
    if outcome is None:
        log.warning("attempt_outdated", notification_id=str(claimed.id), attempt=claimed.attempts)
        return None
    if claimed.is_probe:
        _conclude_probe(claimed.channel, error)
    log.info(
        "notification",
        notification_id=str(claimed.id),
        kind=claimed.kind.value,
        channel=claimed.channel.value,
        outcome=outcome.value,
        cause=_cause(error),
    )
    return outcome


def _record(claimed: ClaimedNotification, error: Exception | None, locale: Locale) -> Status | None:
    """Record how the attempt ended. Return the new status, or None if the attempt was outdated."""
    cause = _cause(error)
    match error:
        case None:
            return attempts.record_sent(claimed, locale)
        case Outdated():
            return None
        case Suppressed():
            return attempts.record_suppressed(claimed, cause, error.locale)
        case NotWanted():
            return attempts.record_suppressed(claimed, cause)
        case AddressRefused():
            return attempts.record_failed(claimed, cause, bad_address=error.address)
        case MessageRefused() | OutcomeUnknown() | NotFound() | Conflict():
            return attempts.record_failed(claimed, cause)
        case ChannelUnusable():
            return attempts.record_channel_unusable(claimed, cause)
        case Unavailable() | DeadlineExceeded():
            return attempts.record_waiting_for_upstream(claimed, cause)
    return attempts.record_failure(claimed, cause)


def _cause(error: Exception | None) -> str:
    """Return what staff read. The text of an unexpected exception may have personal data, so it is left out."""
    match error:
        case None:
            return ""
        case Suppressed() | NotWanted():
            return str(error)
        case ChannelFault() | DomainError():
            return f"{type(error).__name__}: {error}"
    return type(error).__name__


def _conclude_probe(channel: Channel, error: Exception | None) -> None:
    """End the pause if the provider's answer shows that the channel works. Otherwise plan the next probe."""
    match error:
        case ChannelUnusable():
            return  # recorded with the attempt
        case TryLater() | OutcomeUnknown():
            pauses.probe_again_later(channel)
        case None | MessageRefused() if not isinstance(error, AddressMalformed):
            pauses.resume(channel)
        case _:  # the provider was not asked
            pauses.probe_now(channel)


def _send(claimed: ClaimedNotification, lease: _Lease) -> Locale:
    """Write the message and give it to its channel. Return the language in which it was written."""
    link = upstream.mint_link(request_id=claimed.link_request) if claimed.link_request else None
    code = upstream.mint_phone_code(request_id=claimed.code_request) if claimed.code_request else None
    secret = link or code
    contact = secret.contact if secret else upstream.contact_of(person_id=claimed.person_id)
    reason = suppression_reason(
        kind=claimed.kind, channel=claimed.channel, preferences=_preferences(contact) if contact else None
    )
    if contact is None or reason:
        raise Suppressed(reason, locale=contact.locale if contact else None)
    address = contact.phone if claimed.channel is Channel.SMS else contact.email
    if bad := undeliverable.cause_of(person_id=claimed.person_id, channel=claimed.channel, address=address):
        raise Suppressed(bad, locale=contact.locale)
    if claimed.channel is Channel.SMS:
        _send_sms(claimed, contact, code)
    else:
        _send_mail(claimed, contact, link, lease)
    return contact.locale


def _send_mail(claimed: ClaimedNotification, contact: Contact, link: Link | None, lease: _Lease) -> None:
    check_address(contact.email)
    mail = write_mail(claimed, contact, link)
    if claimed.not_after:
        attempts.renew(claimed)
    _mailer.send(mail, proceed=lambda: lease.renew_if_old(claimed))
    failpoint("mail.accepted")


def _send_sms(claimed: ClaimedNotification, contact: Contact, code: PhoneCode | None) -> None:
    """Call the provider once. Whatever it does not declare may mean that the SMS was sent."""
    text = sms_text(notification=claimed, contact=contact, code=code)
    provider = sms.provider()
    failpoint("sms.written")
    sent_at = attempts.hand_over(claimed)
    failpoint("sms.handed")
    try:
        provider.send(to=contact.phone, text=text, notification_id=claimed.id, sent_at=sent_at)
    except ChannelFault:
        raise
    except Exception as error:
        raise OutcomeUnknown(type(error).__name__) from error
    failpoint("sms.accepted")


def _preferences(contact: Contact) -> Preferences:
    return Preferences(
        email=contact.email,
        phone=contact.phone,
        phone_verified=contact.phone_verified,
        notify_by_email=contact.notify_by_email,
        notify_by_sms=contact.notify_by_sms,
    )
