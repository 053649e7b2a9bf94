"""Ask the provider about live payments: those whose end is not known. Without an answer, a payment stays as it is."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.services.job import Job, earliest
from bookings_service.bookings.services.payment.pay import amount_of, payment_to_send
from bookings_service.bookings.services.payment.settle import settle_payment
from bookings_service.payments.domain import LIVE, PaymentStatus
from bookings_service.payments.models import Payment
from bookings_service.payments.providers import provider_named
from bookings_service.payments.providers.base import NothingDone, OutcomeUnknown, PaymentMethodRefused, ProviderResult
from bookings_service.payments.traces import continued
from shared.db import database_now
from shared.errors import Unavailable
from shared.failpoints import failpoint

ABANDONED: Final = timedelta(hours=1)
log = structlog.get_logger(__name__)


def reconcile_due(*, limit: int = 20) -> int:
    """Ask the provider about up to `limit` live payments, and apply the answers. Return the number of payments.

    A payment is due PAYMENT_RECONCILE_SECONDS after the provider was last asked about it.
    """
    done = 0
    while done < limit and (payment := _select_to_ask()):
        with continued(payment):
            try:
                _reconcile(payment)
            except Unavailable:
                log.warning("reconcile.provider_silent", payment_id=str(payment.id))
        done += 1
    return done


def reconcile_now(*, payment_id: UUID) -> str:
    """Ask the provider about one live payment now, and apply the answer. Return the payment's status.

    Does nothing if the payment has ended, or if another process is changing it. Raises Unavailable if the provider does
    not answer.
    """
    if payment := _select_to_ask(payment_id=payment_id):
        with continued(payment):
            _reconcile(payment)
    return str(Payment.objects.values_list("status", flat=True).get(id=payment_id))


def _live() -> QuerySet[Payment]:
    return Payment.objects.filter(status__in=LIVE)


RECONCILE = Job(
    "reconcile",
    partial(reconcile_due, limit=1),
    lambda: earliest(_live(), "asked_at", after=settings.PAYMENT_RECONCILE),
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An ended payment for which the provider reports something else than we have recorded."""

    id: UUID
    reference: str
    recorded: str
    reported: str


def contradiction(*, payment_id: UUID) -> Contradiction | None:
    """Return how the provider contradicts an ended payment, or None.

    Raises Unavailable if the provider does not answer.
    """
    payment = Payment.objects.select_related("booking").get(id=payment_id)
    provider = provider_named(payment.provider)
    try:
        result = provider.result_after_ending_a_decline(str(payment.id)) if provider else None
    except (NothingDone, OutcomeUnknown) as error:
        raise Unavailable from error
    recorded = f"{payment.status} {amount_of(payment)}"
    if result is None:
        agrees, reported = payment.status == PaymentStatus.FAILED, "unknown to the provider"
    else:
        agrees = (result.status, result.amount) == (payment.status, amount_of(payment))
        reported = f"{result.status} {result.amount}"
    return None if agrees else Contradiction(payment.id, payment.booking.reference, recorded, reported)


def _select_to_ask(*, payment_id: UUID | None = None) -> Payment | None:
    """Select the live payment `payment_id`, or one that is due, and set its `asked_at` to now. Return it.

    If this process dies, the payment is due again later. Return None if there is no such payment, or if another process
    has locked it.
    """
    with transaction.atomic():
        now = database_now()
        selected = Q(asked_at__lte=now - settings.PAYMENT_RECONCILE) if payment_id is None else Q(id=payment_id)
        payment = (
            _live()
            .select_for_update(skip_locked=True, of=("self",))
            .filter(selected)
            .select_related("booking")
            .order_by("asked_at")
            .first()
        )
        if payment is not None:
            payment.asked_at = now
            payment.save(update_fields=["asked_at"])
    return payment


def _reconcile(payment: Payment) -> None:
    """Ask the provider about a selected payment, and settle it. An abandoned payment is cancelled at the provider.

    Raises Unavailable if the provider does not answer.
    """
    failpoint("reconcile.leased")
    try:
        result = _status_or_resend(payment)
        if result is None and payment.asked_at - payment.created_at > ABANDONED:
            result = _cancel_at_provider(payment)
    except (NothingDone, OutcomeUnknown) as error:
        raise Unavailable from error
    failpoint("reconcile.answered")
    if result is not None:
        settle_payment(payment_id=payment.id, result=result)


def _status_or_resend(payment: Payment) -> ProviderResult | None:
    """Ask the provider for the payment's result. Return it, or None if nothing changed.

    If the provider does not know the payment, nothing was charged. If the booking is still PENDING, the payment is then
    sent again with the same key. Otherwise it has failed. Raises NothingDone, OutcomeUnknown.
    """
    provider = provider_named(payment.provider)
    if provider is None:
        raise NothingDone
    result = provider.result_after_ending_a_decline(str(payment.id))
    if result is None and payment.booking.status != Status.PENDING:
        # The booking may also have been cancelled. The code stays `hold_expired`, because clients rely on it.
        return _failed(payment, "hold_expired")
    if result is None:
        try:
            return provider.pay(payment_to_send(payment))
        except PaymentMethodRefused:
            return _failed(payment, "invalid_method")
    return None if result.status == payment.status else result


def _cancel_at_provider(payment: Payment) -> ProviderResult | None:
    """Cancel an abandoned payment at the provider, so that it can no longer be charged. Return its new result, or None.

    The result may be SUCCEEDED, because the payer was faster.
    """
    provider = provider_named(payment.provider)
    result = provider.cancel(str(payment.id)) if provider else None
    return None if result is None or result.status == payment.status else result


def _failed(payment: Payment, code: str) -> ProviderResult:
    return ProviderResult(PaymentStatus.FAILED, amount_of(payment), failure_code=code)
