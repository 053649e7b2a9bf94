"""Receive webhooks: each is verified, recorded once under the provider's id, and applied once."""

from collections.abc import Mapping
from uuid import UUID

import structlog
from django.db import transaction

from bookings_service.bookings.services.payment.settle import settle_payment
from bookings_service.payments.models import Payment, Webhook
from bookings_service.payments.providers import PaymentProvider, provider_named
from bookings_service.payments.providers.base import ProviderEvent, WebhookRefused
from shared.db import database_now
from shared.errors import NotFound
from shared.failpoints import failpoint

log = structlog.get_logger(__name__)


def receive_webhook(*, provider_name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Record a provider's webhook and apply it, in one transaction. A repeated webhook does nothing.

    A webhook for an unknown payment, or one that contradicts the record, is kept for finance and changes nothing.

    Raises NotFound for an unknown provider, WebhookRefused if the signature is wrong, Invalid if the body is not an
    event.
    """
    provider = provider_named(provider_name)
    if provider is None:
        raise NotFound
    with transaction.atomic():
        event = _verified(provider, headers=headers, body=body)
        Webhook.objects.bulk_create([_row(provider_name, event)], ignore_conflicts=True)
        row = Webhook.objects.select_for_update().get(provider=provider_name, event_id=event.id)
        if row.outcome:
            return  # another delivery has applied this event: bulk_create waited for that transaction
        row.outcome = _apply(provider_name, event)
        row.save(update_fields=["outcome"])
        failpoint("webhook.before_commit")
    failpoint("webhook.after_commit")


def _verified(provider: PaymentProvider, *, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
    try:
        return provider.verify_webhook(headers=headers, body=body, now=database_now())
    except WebhookRefused:
        log.warning("webhook.refused", provider=provider.name, bytes=len(body))
        raise


def _row(provider_name: str, event: ProviderEvent) -> Webhook:
    return Webhook(
        provider=provider_name,
        event_id=event.id,
        type=event.type,
        payment_key=event.payment_key,
        amount_minor=event.result.amount.minor if event.result else None,
        currency=event.result.amount.currency if event.result else "",
        outcome="",
        received_at=database_now(),
    )


def _apply(provider_name: str, event: ProviderEvent) -> Webhook.Outcome:
    try:
        payment = Payment.objects.filter(id=UUID(event.payment_key), provider=provider_name).first()
    except ValueError:
        payment = None
    if payment is None or event.result is None:
        return Webhook.Outcome.UNKNOWN
    return Webhook.Outcome(settle_payment(payment_id=payment.id, result=event.result))
