"""Request a notification, in the transaction of the event that is its reason."""

from contextvars import copy_context
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from notifications_service.billing.contracts import InvoiceView
from notifications_service.notifications.contracts import BookingFacts, MoveFacts, OfferFacts
from notifications_service.notifications.domain import POLICIES, Channel, Kind, latest_time
from notifications_service.notifications.models import Notification
from notifications_service.notifications.queues import Queue, queue_of
from notifications_service.notifications.signals import notification_requested
from shared.kafka import Received
from shared.money import Money
from shared.telemetry import current_traceparent


def request(
    *,
    kind: Kind,
    person_id: UUID,
    received: Received,
    booking: BookingFacts | None = None,
    offer: OfferFacts | None = None,
    move: MoveFacts | None = None,
    attach: InvoiceView | None = None,
    amount: Money | None = None,
    link_request: str = "",
    code_request: str = "",
    had_invite: bool = False,
) -> None:
    """Write a PENDING notification to the person for each channel of `kind`. The worker is woken after the commit.

    The person's address and preferences are asked for later, when the notification is sent. So are the secret link of
    `link_request` and the code of `code_request`.
    """
    facts: dict[str, Any] = {
        "had_invite": had_invite,
        "link_request": link_request,
        "code_request": code_request,
        "requested_at": received.at.isoformat(),
    }
    if booking:
        facts["booking"] = booking.to_json()
    if offer:
        facts["offer"] = offer.to_json()
    if move:
        facts["move"] = move.to_json()
    if amount:
        facts["amount"] = [amount.minor, amount.currency]
    held_until = offer.offered_until if offer else booking.held_until if booking else None
    rows = Notification.objects.bulk_create(
        Notification(
            person_id=person_id,
            channel=channel.value,
            kind=kind.value,
            event_id=received.event_id,
            booking_id=booking.booking_id if booking else None,
            booking_reference=booking.reference if booking else "",
            invoice_id=attach.id if attach else None,
            facts=facts,
            request_id=received.request_id,
            traceparent=current_traceparent(),
            not_after=latest_time(kind=kind, held_until=held_until),
            created_at=received.at,
            next_attempt_at=received.at,
        )
        for channel in POLICIES[kind].channels
    )
    for row in rows:
        queue = queue_of(kind=kind, channel=Channel(row.channel), has_document=row.invoice_id is not None)
        _wake_after_commit(row.id, queue)


def _wake_after_commit(notification_id: UUID, queue: Queue) -> None:
    """Send the signal after the commit, in the context of this event: by then, another event may be current."""
    send = partial(notification_requested.send, sender=Notification, notification_id=notification_id, queue=queue)
    transaction.on_commit(partial(copy_context().run, send), robust=True)
