"""The ledger of sending: who works on a notification, and how each attempt ended. Every function is one transaction.

A row is claimed for LEASE; whoever finds it SENDING after that may claim it again, for its worker was killed.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from notifications_service.notifications import events
from notifications_service.notifications.contracts import BookingFacts, Job, OfferFacts
from notifications_service.notifications.domain import LEASE, Channel, Kind, Status, next_attempt
from notifications_service.notifications.models import DeliveryAttempt, Notification
from shared.db import database_now
from shared.money import Money
from shared.text import Locale

HANDED = "HANDED"  # given to a provider that must not get it twice
_UNKNOWN = "killed while sending; an SMS is never sent twice"


@transaction.atomic
def claim(notification_id: UUID) -> Job | None:
    """Return the notification as this worker's own to send, or None where it is sent, given up, or somebody else's."""
    now = database_now()
    row = (
        Notification.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(id=notification_id)
        .filter(Q(status=Status.PENDING, next_attempt_at__lte=now) | Q(status=Status.SENDING, leased_until__lt=now))
        .first()
    )
    if row is None:
        return None
    if row.channel == Channel.SMS and row.deliveries.filter(number=row.attempts, outcome=HANDED).exists():
        _end(row.id, row.attempts, status=Status.FAILED, detail=_UNKNOWN)
        events.failed(row, cause=_UNKNOWN, now=now)
        return None
    row.status, row.attempts, row.leased_until = Status.SENDING, row.attempts + 1, now + LEASE
    row.save(update_fields=["status", "attempts", "leased_until"])
    DeliveryAttempt.objects.create(notification=row, number=row.attempts)
    return _job(row)


@transaction.atomic
def handed(job: Job) -> None:
    """Note that the provider is called next, so that a killed worker's SMS is not sent a second time."""
    DeliveryAttempt.objects.filter(notification_id=job.id, number=job.attempts).update(outcome=HANDED)


@transaction.atomic
def sent(job: Job, locale: Locale) -> None:
    """Note that the channel accepted the notification, and publish it."""
    row = _lock(job)
    now = database_now()
    _end(job.id, job.attempts, status=Status.SENT, locale=locale.value, sent_at=now)
    events.sent(row, now=now)


@transaction.atomic
def suppressed(job: Job, reason: str, locale: Locale) -> None:
    """Note that the person is not to be told, and why."""
    _lock(job)
    _end(job.id, job.attempts, status=Status.SUPPRESSED, detail=reason, locale=locale.value)


@transaction.atomic
def failed(job: Job, cause: str) -> None:
    """Note that the notification will never arrive, and publish it."""
    row = _lock(job)
    _end(job.id, job.attempts, status=Status.FAILED, detail=cause)
    events.failed(row, cause=cause, now=database_now())


@transaction.atomic
def postponed(job: Job, cause: str) -> None:
    """Note that this attempt failed in passing: the next follows with back-off, until it has been tried long enough."""
    now = database_now()
    again = next_attempt(attempts=job.attempts, created_at=job.created_at, now=now)
    if again is None:
        failed(job, f"given up: {cause}")
        return
    _lock(job)
    _end(job.id, job.attempts, status=Status.PENDING, detail=cause, outcome="POSTPONED", next_attempt_at=again)


def leave_later_than(age: timedelta) -> Q:
    """Return the filter for what is due: pending for longer than `age`, or claimed by a worker that was killed."""
    return Q(status=Status.PENDING, next_attempt_at__lte=Now() - age) | Q(status=Status.SENDING, leased_until__lt=Now())


def _lock(job: Job) -> Notification:
    """Return the row under its lock. Two workers never end one attempt: the second finds another number."""
    return Notification.objects.select_for_update(of=("self",)).get(id=job.id)


def _end(
    notification_id: UUID, number: int, *, status: Status, detail: str = "", outcome: str = "", **fields: Any
) -> None:
    detail = detail[:500]
    Notification.objects.filter(id=notification_id).update(status=status, leased_until=None, cause=detail, **fields)
    DeliveryAttempt.objects.filter(notification_id=notification_id, number=number).update(
        outcome=outcome or status.value, detail=detail, ended_at=Now()
    )


def _job(row: Notification) -> Job:
    facts = row.facts
    amount = facts.get("amount")
    return Job(
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
        had_invite=facts.get("had_invite", False),
    )
