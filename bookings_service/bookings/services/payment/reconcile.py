"""Asking the provider for the truth about payments that nobody has heard of since: unknown never means failed."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.services.jobs import Job, earliest
from bookings_service.bookings.services.payment.pay import amount_of, to_provider
from bookings_service.bookings.services.payment.settle import settle
from bookings_service.payments.domain import LIVE, PaymentStatus
from bookings_service.payments.models import Payment
from bookings_service.payments.providers import provider_named
from bookings_service.payments.providers.base import MethodRefused, ProviderDown, ProviderResult, ProviderSilent
from shared.db import database_now
from shared.errors import Unavailable
from shared.failpoints import failpoint
from shared.money import Money

ABANDONED = timedelta(hours=1)
log = logging.getLogger(__name__)


def reconcile_due(*, limit: int = 20) -> int:
    """Ask after up to `limit` live payments not heard of for PAYMENT_RECONCILE_SECONDS; return how many were asked after."""
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
class Unsettled:
    """A payment whose end is not known."""

    id: UUID
    reference: str
    status: str
    amount: Money
    begun_at: datetime
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A payment of which the provider says something else than what is recorded."""

    id: UUID
    reference: str
    recorded: str
    told: str


def unsettled() -> list[Unsettled]:
    """Return every live payment, the one not heard of for longest first."""
    rows = _live().select_related("booking").order_by("asked_at")
    return [
        Unsettled(row.id, row.booking.reference, row.status, amount_of(row), row.created_at, row.asked_at)
        for row in rows
    ]


def ask_after(*, payment_id: UUID) -> str:
    """Ask the provider after one live payment now and record what it says; return its status. Raises Unavailable where it is silent."""
    with transaction.atomic():
        payment = Payment.objects.select_for_update(of=("self",)).select_related("booking").get(id=payment_id)
        if payment.status not in LIVE:
            return str(payment.status)
        payment.asked_at = database_now()
        payment.save(update_fields=["asked_at"])
    try:
        result = _truth(payment)
    except (ProviderDown, ProviderSilent) as error:
        raise Unavailable from error
    if result is not None:
        settle(payment_id=payment.id, result=result)
    payment.refresh_from_db()
    return str(payment.status)


def ended_since(*, since: datetime) -> list[UUID]:
    """Return the payments begun since then that have succeeded or failed, oldest first."""
    rows = Payment.objects.filter(created_at__gte=since).exclude(status__in=LIVE)
    return list(rows.order_by("created_at").values_list("id", flat=True))


def contradiction(*, payment_id: UUID) -> Contradiction | None:
    """Return what the provider says of an ended payment where it is not what is recorded. Raises Unavailable where it is silent."""
    payment = Payment.objects.select_related("booking").get(id=payment_id)
    provider = provider_named(payment.provider)
    try:
        told = provider.status(str(payment.id)) if provider else None
    except (ProviderDown, ProviderSilent) as error:
        raise Unavailable from error
    recorded = f"{payment.status} {amount_of(payment)}"
    if told is None:
        is_right, said = payment.status == PaymentStatus.FAILED, "never heard of it"
    else:
        is_right, said = (
            (told.status, told.amount) == (payment.status, amount_of(payment)),
            f"{told.status} {told.amount}",
        )
    return None if is_right else Contradiction(payment.id, payment.booking.reference, recorded, said)


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
        payment.asked_at = now  # leased: whoever dies now leaves it to be asked after again
        payment.save(update_fields=["asked_at"])
    failpoint("reconcile.leased")
    try:
        result = _truth(payment)
        if result is None and now - payment.created_at > ABANDONED:
            result = _closed(payment)
    except (ProviderDown, ProviderSilent):
        log.warning("the provider does not answer after payment %s", payment.id)
        return True
    failpoint("reconcile.answered")
    if result is not None:
        settle(payment_id=payment.id, result=result)
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


def _closed(payment: Payment) -> ProviderResult | None:
    """Have the provider charge nothing for an abandoned payment from now on, and return what became of it: it may be too late for that."""
    provider = provider_named(payment.provider)
    result = provider.cancel(str(payment.id)) if provider else None
    return None if result is None or result.status == payment.status else result


def _failed(payment: Payment, code: str) -> ProviderResult:
    return ProviderResult(PaymentStatus.FAILED, amount_of(payment), failure_code=code)
