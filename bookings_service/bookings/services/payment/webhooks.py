"""Webhooks: checked, recorded under the provider's id once, applied once. 2xx only after that is committed."""

import logging
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from bookings_service.bookings.services.payment.settle import Outcome, settle
from bookings_service.payments.models import Payment, Webhook
from bookings_service.payments.providers import PaymentProvider, provider_named
from bookings_service.payments.providers.base import ProviderEvent, WebhookRefused
from shared.db import database_now
from shared.errors import NotFound
from shared.failpoints import failpoint

log = logging.getLogger(__name__)

_OUTCOMES = {
    Outcome.APPLIED: Webhook.Outcome.APPLIED,
    Outcome.NOTHING_NEW: Webhook.Outcome.NOTHING_NEW,
    Outcome.CONTRADICTS: Webhook.Outcome.CONTRADICTS,
}


def receive_webhook(*, provider_name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Take a provider's webhook: the record and its effect are one transaction, a repeat does nothing.

    What is of no payment of ours, or contradicts what is recorded, is kept for finance and changes nothing.

    Raises NotFound for an unknown provider; WebhookRefused where it is not rightly signed; Invalid where it is no event.
    """
    provider = provider_named(provider_name)
    if provider is None:
        raise NotFound
    with transaction.atomic():
        event = _verified(provider, headers=headers, body=body)
        Webhook.objects.bulk_create([_row(provider_name, event)], ignore_conflicts=True)
        row = Webhook.objects.select_for_update().get(provider=provider_name, event_id=event.id)
        if row.outcome:
            return  # seen before; one that is being applied at this moment was waited for by the insert
        row.outcome = _apply(provider_name, event)
        row.save(update_fields=["outcome"])
        failpoint("webhook.before_commit")
    failpoint("webhook.after_commit")


def _verified(provider: PaymentProvider, *, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
    try:
        return provider.verify_webhook(headers=headers, body=body, now=database_now())
    except WebhookRefused:
        log.warning("webhook refused: provider=%s bytes=%s", provider.name, len(body))
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
    return _OUTCOMES[settle(payment_id=payment.id, result=event.result)]
