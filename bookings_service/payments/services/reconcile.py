"""Asking the provider for the truth about payments that nobody has heard of since: unknown never means failed."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from bookings_service.bookings.domain import Status
from bookings_service.payments.domain import LIVE, PaymentStatus
from bookings_service.payments.models import Payment
from bookings_service.payments.providers import provider_named
from bookings_service.payments.providers.base import MethodRefused, ProviderDown, ProviderResult, ProviderSilent
from bookings_service.payments.services.pay import amount_of, to_provider
from bookings_service.payments.services.settle import settle
from shared.db import database_now

ABANDONED = timedelta(hours=1)
log = logging.getLogger(__name__)


def reconcile_due(*, limit: int = 20) -> int:
    """Ask after up to `limit` live payments not heard of for PAYMENT_RECONCILE_SECONDS; return how many were asked after."""
    done = 0
    while done < limit and _reconcile_next():
        done += 1
    return done


def _reconcile_next() -> bool:
    with transaction.atomic():
        now = database_now()
        payment = (
            Payment.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status__in=LIVE, asked_at__lte=now - settings.PAYMENT_RECONCILE)
            .select_related("booking")
            .order_by("asked_at")
            .first()
        )
        if payment is None:
            return False
        payment.asked_at = now  # leased: whoever dies now leaves it to be asked after again
        payment.save(update_fields=["asked_at"])
    try:
        result = _truth(payment)
    except (ProviderDown, ProviderSilent):
        log.warning("the provider does not answer after payment %s", payment.id)
        return True
    if result is not None:
        settle(payment_id=payment.id, result=result)
    elif now - payment.created_at > ABANDONED:
        settle(payment_id=payment.id, result=_failed(payment, "abandoned"))
    return True


def _truth(payment: Payment) -> ProviderResult | None:
    """Return what became of the payment, None for nothing new. One the provider never heard of is repeated with the same key,

    while its booking still waits for it; afterwards it has failed, for nothing was ever charged.
    """
    provider = provider_named(payment.provider)
    if provider is None:
        raise ProviderDown
    result = provider.status(str(payment.id))
    if result is None and payment.booking.status != Status.PENDING:
        return _failed(payment, "hold_expired")
    if result is None:
        try:
            return provider.pay(to_provider(payment))
        except MethodRefused:
            return _failed(payment, "invalid_method")
    return None if result.status == payment.status else result


def _failed(payment: Payment, code: str) -> ProviderResult:
    return ProviderResult(PaymentStatus.FAILED, amount_of(payment), failure_code=code)
