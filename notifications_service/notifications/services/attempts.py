"""The attempts to send: which worker sends a notification, and how each attempt ended.

A worker claims a notification for LEASE. If it is still SENDING after that, its worker was killed, and another worker
may claim it. Every function is one transaction.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from notifications_service.notifications import events
from notifications_service.notifications.contracts import BookingFacts, ClaimedNotification, OfferFacts
from notifications_service.notifications.domain import LEASE, Channel, Kind, Status, next_attempt
from notifications_service.notifications.models import DeliveryAttempt, Notification
from shared.db import database_now
from shared.money import Money
from shared.text import Locale

GIVEN_TO_PROVIDER = "HANDED"  # the outcome of an SMS while its provider is called: it must not be called again
_UNKNOWN = "the worker was killed while it sent this SMS; an SMS is never sent twice"


@transaction.atomic
def claim(notification_id: UUID) -> ClaimedNotification | None:
    """Claim the notification for this worker. Return None if it is not due, or another worker has claimed it.

    An SMS whose worker was killed during the call of the provider becomes FAILED: nobody knows whether it was sent.
    """
    now = database_now()
    row = (
        Notification.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(id=notification_id)
        .filter(Q(status=Status.PENDING, next_attempt_at__lte=now) | Q(status=Status.SENDING, leased_until__lt=now))
        .first()
    )
    if row is None:
        return None
    last_attempt = row.deliveries.filter(number=row.attempts)
    if row.channel == Channel.SMS and last_attempt.filter(outcome=GIVEN_TO_PROVIDER).exists():
        _end(row.id, row.attempts, status=Status.FAILED, detail=_UNKNOWN)
        events.failed(row, cause=_UNKNOWN, now=now)
        return None
    row.status, row.attempts, row.leased_until = Status.SENDING, row.attempts + 1, now + LEASE
    row.save(update_fields=["status", "attempts", "leased_until"])
    DeliveryAttempt.objects.create(notification=row, number=row.attempts)
    return _to_claimed(row)


@transaction.atomic
def record_given_to_provider(claimed: ClaimedNotification) -> None:
    """Record that the SMS provider is called next. If this worker is killed now, the SMS is not sent a second time."""
    DeliveryAttempt.objects.filter(notification_id=claimed.id, number=claimed.attempts).update(
        outcome=GIVEN_TO_PROVIDER
    )


@transaction.atomic
def record_sent(claimed: ClaimedNotification, locale: Locale) -> None:
    """Record that the channel accepted the notification, and publish the event."""
    row = _lock(claimed)
    now = database_now()
    _end(claimed.id, claimed.attempts, status=Status.SENT, locale=locale.value, sent_at=now)
    events.sent(row, now=now)


@transaction.atomic
def record_suppressed(claimed: ClaimedNotification, reason: str, locale: Locale) -> None:
    """Record that the notification must not be sent, and why."""
    _lock(claimed)
    _end(claimed.id, claimed.attempts, status=Status.SUPPRESSED, detail=reason, locale=locale.value)


@transaction.atomic
def record_failed(claimed: ClaimedNotification, cause: str) -> None:
    """Record that the notification can never be delivered, and publish the event."""
    row = _lock(claimed)
    _end(claimed.id, claimed.attempts, status=Status.FAILED, detail=cause)
    events.failed(row, cause=cause, now=database_now())


@transaction.atomic
def record_postponed(claimed: ClaimedNotification, cause: str) -> None:
    """Record that this attempt failed, and plan the next. After GIVE_UP_AFTER, the notification is FAILED instead."""
    now = database_now()
    next_attempt_at = next_attempt(attempts=claimed.attempts, created_at=claimed.created_at, now=now)
    if next_attempt_at is None:
        record_failed(claimed, f"given up: {cause}")
        return
    _lock(claimed)
    _end(
        claimed.id,
        claimed.attempts,
        status=Status.PENDING,
        detail=cause,
        outcome="POSTPONED",
        next_attempt_at=next_attempt_at,
    )


def is_overdue(*, by: timedelta) -> Q:
    """Return the filter for notifications that have been due for longer than `by`, or whose worker was killed."""
    return Q(status=Status.PENDING, next_attempt_at__lte=Now() - by) | Q(status=Status.SENDING, leased_until__lt=Now())


def _lock(claimed: ClaimedNotification) -> Notification:
    """Return the notification's row, locked until the transaction ends."""
    return Notification.objects.select_for_update(of=("self",)).get(id=claimed.id)


def _end(
    notification_id: UUID, number: int, *, status: Status, detail: str = "", outcome: str = "", **fields: Any
) -> None:
    """Write how attempt `number` ended, on the notification and on the attempt."""
    detail = detail[:500]
    Notification.objects.filter(id=notification_id).update(status=status, leased_until=None, cause=detail, **fields)
    DeliveryAttempt.objects.filter(notification_id=notification_id, number=number).update(
        outcome=outcome or status.value, detail=detail, ended_at=Now()
    )


def _to_claimed(row: Notification) -> ClaimedNotification:
    facts = row.facts
    amount = facts.get("amount")
    return ClaimedNotification(
        id=row.id,
        person_id=row.person_id,
        channel=Channel(row.channel),
        kind=Kind(row.kind),
        attempts=row.attempts,
        created_at=row.created_at,
        request_id=row.request_id,
        booking=BookingFacts.from_json(facts["booking"]) if "booking" in facts else None,
        offer=OfferFacts.from_json(facts["offer"]) if "offer" in facts else None,
        invoice_id=row.invoice_id,
        amount=Money.from_minor(*amount) if amount else None,
        link_request=facts.get("link_request", ""),
        code_request=facts.get("code_request", ""),
        requested_at=datetime.fromisoformat(facts["requested_at"]) if "requested_at" in facts else row.created_at,
        had_invite=facts.get("had_invite", False),
    )
