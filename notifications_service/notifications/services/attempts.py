"""The attempts to send: which worker sends a notification, and how each attempt ended.

A worker claims a notification until its lease ends, and may renew the lease. After that, another worker may claim it.
So every write is conditional on being the current attempt: a worker that was frozen past its lease changes nothing.

Every function is one transaction, or one statement. Those that record how an attempt ended return the new status of the
notification, or None if the attempt was no longer the current one.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from notifications_service.notifications import events
from notifications_service.notifications.contracts import BookingFacts, ClaimedNotification, MoveFacts, OfferFacts
from notifications_service.notifications.domain import (
    RETRY_STEPS,
    UPSTREAM_STEPS,
    Channel,
    Kind,
    Status,
    has_given_up,
)
from notifications_service.notifications.models import DeliveryAttempt, Notification, PausedChannel
from notifications_service.notifications.services import first_attempts, pauses, undeliverable
from shared.backoff import pause_before
from shared.db import clock_now, database_now
from shared.money import Money
from shared.text import Locale

GIVEN_TO_PROVIDER = "HANDED"  # the outcome of an SMS while its provider is called: it must not be called again
TOO_LATE = "too late: what it tells of was held only until "
_UNKNOWN = "the worker was lost while it sent this SMS; an SMS is never sent twice"


class Outdated(Exception):
    """The lease of this attempt ended, so another worker may send the notification. This worker must stop."""


class Suppressed(Exception):
    """The notification must not be sent. The text says why. `locale` is the person's language, if it is known."""

    def __init__(self, reason: str, *, locale: Locale | None = None) -> None:
        super().__init__(reason)
        self.locale = locale


def claim(notification_id: UUID) -> ClaimedNotification | None:
    """Claim the notification for this worker. Return None if it is not due, claimed, ended here, or its channel paused.

    An SMS whose worker was lost during the call of the provider becomes FAILED: nobody knows whether it was sent. A
    notification past its `not_after` becomes SUPPRESSED.
    """
    first = first_attempts.claim_first(notification_id)
    return _to_claimed(first) if first else _claim_again(notification_id)


@transaction.atomic
def _claim_again(notification_id: UUID) -> ClaimedNotification | None:
    """Claim a notification that had an attempt before, is too late, or whose channel is paused."""
    now = database_now()
    row = (
        Notification.objects.select_for_update(skip_locked=True, of=("self",))
        .annotate(is_paused=Exists(PausedChannel.objects.filter(channel=OuterRef("channel"))))
        .filter(id=notification_id)
        .filter(Q(status=Status.PENDING, next_attempt_at__lte=now) | Q(status=Status.SENDING, leased_until__lt=now))
        .first()
    )
    if row is None:
        return None
    last_attempt = row.deliveries.filter(number=row.attempts, ended_at=None)
    if row.channel == Channel.SMS and last_attempt.filter(outcome=GIVEN_TO_PROVIDER).exists():
        _fail(_to_claimed(row), _UNKNOWN)
        return None
    if row.status == Status.SENDING:
        last_attempt.update(outcome="LOST", detail="its lease ended", ended_at=Now())
    if row.not_after and row.not_after <= now:
        _end_row(row, status=Status.SUPPRESSED, cause=_too_late(row.not_after))
        return None
    is_probe = row.is_paused and pauses.take_probe(Channel(row.channel))
    if row.is_paused and not is_probe:
        if row.status == Status.SENDING:
            _end_row(row, status=Status.PENDING, cause=row.cause)
        return None
    row.status, row.attempts, row.leased_until = Status.SENDING, row.attempts + 1, now + lease()
    row.save(update_fields=["status", "attempts", "leased_until"])
    DeliveryAttempt.objects.create(notification=row, number=row.attempts)
    return _to_claimed(row, is_probe=is_probe)


def lease() -> timedelta:
    """Return how long a claim lasts if it is not renewed."""
    return timedelta(seconds=settings.NOTIFICATIONS_LEASE_SECONDS)


@transaction.atomic
def renew(claimed: ClaimedNotification) -> None:
    """Let the lease begin anew. Raises Outdated if it has ended already, and Suppressed if it is too late to send."""
    _lock_in_time(claimed)
    _current(claimed).update(leased_until=Now() + lease())


@transaction.atomic
def hand_over(claimed: ClaimedNotification) -> datetime:
    """Record that the SMS provider is called next, and return the time.

    If this worker is lost from now on, the SMS is not sent a second time. Raises as `renew` does: then the provider
    must not be called.
    """
    now = _lock_in_time(claimed)
    _attempt(claimed).update(outcome=GIVEN_TO_PROVIDER)
    return now


@transaction.atomic
def record_sent(claimed: ClaimedNotification, locale: Locale) -> Status | None:
    """Record that the channel accepted the notification, and publish the event."""
    now = first_attempts.end(notification_id=claimed.id, attempt=claimed.attempts, status=Status.SENT, locale=locale)
    if now is None:
        return None
    events.sent(claimed, now=now)
    return Status.SENT


def record_suppressed(claimed: ClaimedNotification, reason: str, locale: Locale | None = None) -> Status | None:
    """Record that the notification must not be sent, and why."""
    ended = first_attempts.end(
        notification_id=claimed.id, attempt=claimed.attempts, status=Status.SUPPRESSED, detail=reason, locale=locale
    )
    return Status.SUPPRESSED if ended else None


@transaction.atomic
def record_failed(claimed: ClaimedNotification, cause: str, *, bad_address: str = "") -> Status | None:
    """Record that the notification can never be delivered, and publish the event.

    Nothing more is sent to the person at `bad_address`.
    """
    status = _fail(claimed, cause)
    if status and bad_address:
        undeliverable.add(person_id=claimed.person_id, channel=claimed.channel, address=bad_address, cause=cause)
    return status


@transaction.atomic
def record_failure(claimed: ClaimedNotification, cause: str) -> Status | None:
    """Count a passing failure, and plan the next attempt. After the last one, the notification is FAILED instead."""
    row = _current(claimed).select_for_update(of=("self",)).first()
    if row is None:
        return None
    failures = row.failures + 1
    if has_given_up(channel=claimed.channel, failures=failures):
        return _fail(claimed, f"given up: {cause}", failures=failures)
    return _postpone(claimed, cause, seconds=pause_before(failures + 1, RETRY_STEPS), failures=failures)


@transaction.atomic
def record_waiting_for_upstream(claimed: ClaimedNotification, cause: str) -> Status | None:
    """Plan the next attempt after another service did not answer. It counts as no failure."""
    return _postpone(claimed, cause, seconds=pause_before(claimed.attempts + 1, UPSTREAM_STEPS))


@transaction.atomic
def record_channel_unusable(claimed: ClaimedNotification, cause: str) -> Status | None:
    """Pause the channel. The notification stays due and waits. It counts as no failure."""
    status = _postpone(claimed, cause, seconds=0, outcome="PAUSED")
    if status:
        pauses.pause(claimed.channel, cause=cause)
    return status


def is_overdue(*, by: timedelta) -> Q:
    """Return the filter for notifications that have been due for longer than `by`, or whose worker was lost."""
    return Q(status=Status.PENDING, next_attempt_at__lte=Now() - by) | Q(status=Status.SENDING, leased_until__lt=Now())


def _current(claimed: ClaimedNotification) -> Any:
    """Return the notification's row as a queryset. It is empty if the attempt is not the current one."""
    return Notification.objects.filter(id=claimed.id, status=Status.SENDING, attempts=claimed.attempts)


def _attempt(claimed: ClaimedNotification) -> Any:
    return DeliveryAttempt.objects.filter(notification_id=claimed.id, number=claimed.attempts)


def _lock_in_time(claimed: ClaimedNotification) -> datetime:
    """Lock the row and return the database's time. Raises Outdated after the lease, Suppressed after `not_after`."""
    row = _current(claimed).select_for_update(of=("self",)).first()
    now = clock_now()
    if row is None or row.leased_until <= now:
        raise Outdated
    if row.not_after and row.not_after <= now:
        raise Suppressed(_too_late(row.not_after))
    return now


def _too_late(not_after: datetime) -> str:
    return f"{TOO_LATE}{not_after:%Y-%m-%d %H:%M:%S} UTC"


def _postpone(
    claimed: ClaimedNotification, cause: str, *, seconds: float, outcome: str = "", **fields: Any
) -> Status | None:
    next_attempt_at = Now() + timedelta(seconds=seconds)
    outcome = outcome or "POSTPONED"
    return _end(
        claimed, status=Status.PENDING, detail=cause, outcome=outcome, next_attempt_at=next_attempt_at, **fields
    )


def _fail(claimed: ClaimedNotification, cause: str, **fields: Any) -> Status | None:
    status = _end(claimed, status=Status.FAILED, detail=cause, **fields)
    if status:
        events.failed(claimed, cause=cause, now=database_now())
    return status


def _end(
    claimed: ClaimedNotification, *, status: Status, detail: str = "", outcome: str = "", **fields: Any
) -> Status | None:
    """Write how the attempt ended, on the notification and on the attempt. Return None if it is not the current one."""
    detail = detail[:500]
    if not _current(claimed).update(status=status, leased_until=None, cause=detail, **fields):
        return None
    _attempt(claimed).update(outcome=outcome or status.value, detail=detail, ended_at=Now())
    return status


def _end_row(row: Notification, *, status: Status, cause: str) -> None:
    """End the notification without an attempt, while it is locked."""
    Notification.objects.filter(id=row.id).update(status=status, leased_until=None, cause=cause)


def _to_claimed(row: Notification, *, is_probe: bool = False) -> ClaimedNotification:
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
        traceparent=row.traceparent,
        not_after=row.not_after,
        is_probe=is_probe,
        booking=BookingFacts.from_json(facts["booking"]) if "booking" in facts else None,
        offer=OfferFacts.from_json(facts["offer"]) if "offer" in facts else None,
        move=MoveFacts.from_json(facts["move"]) if "move" in facts else None,
        invoice_id=row.invoice_id,
        amount=Money.from_minor(*amount) if amount else None,
        link_request=facts.get("link_request", ""),
        code_request=facts.get("code_request", ""),
        requested_at=datetime.fromisoformat(facts["requested_at"]) if "requested_at" in facts else row.created_at,
        had_invite=facts.get("had_invite", False),
    )
