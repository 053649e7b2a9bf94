"""Ask the provider about payments without an answer. An unknown payment is never assumed to have failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.services.jobs import Job, earliest
from bookings_service.bookings.services.payment.pay import amount_of, provider_request
from bookings_service.bookings.services.payment.settle import settle_payment
from bookings_service.payments.domain import LIVE, PaymentStatus
from bookings_service.payments.models import Payment
from bookings_service.payments.providers import provider_named
from bookings_service.payments.providers.base import MethodRefused, ProviderDown, ProviderResult, ProviderSilent
from shared.db import database_now
from shared.errors import Unavailable
from shared.failpoints import failpoint
from shared.money import Money

ABANDONED: Final = timedelta(hours=1)
log = structlog.get_logger(__name__)


def reconcile_due(*, limit: int = 20) -> int:
    """Ask the provider about up to `limit` live payments. Return their number.

    A payment is due PAYMENT_RECONCILE_SECONDS after the provider was last asked about it.
    """
    done = 0
    while done < limit and _reconcile_next():
        done += 1
    return done


def _live() -> QuerySet[Payment]:
    return Payment.objects.filter(status__in=LIVE)


RECONCILE = Job(
    "reconcile",
    partial(reconcile_due, limit=1),
    lambda: earliest(_live(), "asked_at", after=settings.PAYMENT_RECONCILE),
)


@dataclass(frozen=True, slots=True)
class LivePayment:
    """A payment that has not ended."""

    id: UUID
    reference: str
    status: str
    amount: Money
    begun_at: datetime
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An ended payment for which the provider reports something else than we have recorded."""

    id: UUID
    reference: str
    recorded: str
    reported: str


def live_payments() -> list[LivePayment]:
    """Return every live payment, the one that was asked about least recently first."""
    rows = _live().select_related("booking").order_by("asked_at")
    return [
        LivePayment(row.id, row.booking.reference, row.status, amount_of(row), row.created_at, row.asked_at)
        for row in rows
    ]


def reconcile_now(*, payment_id: UUID) -> str:
    """Ask the provider about one live payment now, and apply the answer. Return the payment's status.

    Raises Unavailable if the provider does not answer.
    """
    with transaction.atomic():
        payment = Payment.objects.select_for_update(of=("self",)).select_related("booking").get(id=payment_id)
        if payment.status not in LIVE:
            return str(payment.status)
        payment.asked_at = database_now()
        payment.save(update_fields=["asked_at"])
    try:
        result = _ask_provider(payment)
    except (ProviderDown, ProviderSilent) as error:
        raise Unavailable from error
    if result is not None:
        settle_payment(payment_id=payment.id, result=result)
    payment.refresh_from_db()
    return str(payment.status)


def ended_since(*, since: datetime) -> list[UUID]:
    """Return the payments made since then that have succeeded or failed, oldest first."""
    rows = Payment.objects.filter(created_at__gte=since).exclude(status__in=LIVE)
    return list(rows.order_by("created_at").values_list("id", flat=True))


def contradiction(*, payment_id: UUID) -> Contradiction | None:
    """Return how the provider contradicts an ended payment, or None. Raises Unavailable if the provider does not answer."""
    payment = Payment.objects.select_related("booking").get(id=payment_id)
    provider = provider_named(payment.provider)
    try:
        result = provider.status(str(payment.id)) if provider else None
    except (ProviderDown, ProviderSilent) as error:
        raise Unavailable from error
    recorded = f"{payment.status} {amount_of(payment)}"
    if result is None:
        agrees, reported = payment.status == PaymentStatus.FAILED, "never heard of it"
    else:
        agrees = (result.status, result.amount) == (payment.status, amount_of(payment))
        reported = f"{result.status} {result.amount}"
    return None if agrees else Contradiction(payment.id, payment.booking.reference, recorded, reported)


def _reconcile_next() -> bool:
    with transaction.atomic():
        now = database_now()
        payment = (
            _live()
            .select_for_update(skip_locked=True, of=("self",))
            .filter(asked_at__lte=now - settings.PAYMENT_RECONCILE)
            .select_related("booking")
            .order_by("asked_at")
            .first()
        )
        if payment is None:
            return False
        payment.asked_at = now  # a lease: if this process dies, the payment is asked about again later
        payment.save(update_fields=["asked_at"])
    failpoint("reconcile.leased")
    try:
        result = _ask_provider(payment)
        if result is None and now - payment.created_at > ABANDONED:
            result = _cancel_at_provider(payment)
    except (ProviderDown, ProviderSilent):
        message = f"the provider does not answer after payment {payment.id}"
        log.warning(message)
        return True
    failpoint("reconcile.answered")
    if result is not None:
        settle_payment(payment_id=payment.id, result=result)
    return True


def _ask_provider(payment: Payment) -> ProviderResult | None:
    """Return the payment's new result, or None if nothing changed.

    If the provider has never heard of the payment, nothing was charged. It is then sent again with the same key if the booking is still
    PENDING; otherwise it has failed. Raises ProviderDown, ProviderSilent.
    """
    provider = provider_named(payment.provider)
    if provider is None:
        raise ProviderDown
    result = provider.status(str(payment.id))
    if result is None and payment.booking.status != Status.PENDING:
        return _failed(payment, "hold_expired")
    if result is None:
        try:
            return provider.pay(provider_request(payment))
        except MethodRefused:
            return _failed(payment, "invalid_method")
    return None if result.status == payment.status else result


def _cancel_at_provider(payment: Payment) -> ProviderResult | None:
    """Cancel an abandoned payment at the provider, so that it can no longer be charged. Return its new result, or None.

    The result may be SUCCEEDED: the payer was faster.
    """
    provider = provider_named(payment.provider)
    result = provider.cancel(str(payment.id)) if provider else None
    return None if result is None or result.status == payment.status else result


def _failed(payment: Payment, code: str) -> ProviderResult:
    return ProviderResult(PaymentStatus.FAILED, amount_of(payment), failure_code=code)
