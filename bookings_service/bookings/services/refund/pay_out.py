"""Pay refunds out.

The transaction that cancels, or that receives a late payment, records the refund. Afterwards the clock asks the
provider until it has paid.
"""

from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from bookings_service.bookings import events
from bookings_service.bookings.contracts import PROVIDER
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services.booking.transition import save_with_history
from bookings_service.bookings.services.job import Job, earliest
from bookings_service.payments import ledger
from bookings_service.payments.domain import UNDER_WAY, RefundStatus, check_refund_move
from bookings_service.payments.models import Refund
from bookings_service.payments.providers import provider_named
from bookings_service.payments.providers.base import NothingDone, OutcomeUnknown
from bookings_service.payments.traces import continued
from shared.db import database_now
from shared.failpoints import failpoint
from shared.money import Money

_BACKOFF: Final = (1, 2, 5, 15, 60, 300, 1_800)
log = structlog.get_logger(__name__)


def pay_out_due(*, limit: int = 20) -> int:
    """Ask the provider for up to `limit` refunds that are due. Return their number."""
    done = 0
    while done < limit and (refund := _lease()):
        _ask_provider(refund)
        done += 1
    return done


def pay_out_now(*, refund_id: UUID) -> str:
    """Ask the provider for one refund now, which counts as an attempt. Return the refund's status.

    Does nothing if the refund has ended, or if another process is asking for it.
    """
    if refund := _lease(refund_id=refund_id):
        _ask_provider(refund)
    return str(Refund.objects.values_list("status", flat=True).get(id=refund_id))


def _under_way() -> QuerySet[Refund]:
    return Refund.objects.filter(status__in=UNDER_WAY)


# One refund at a time: each may wait for the provider, and the job RECONCILE gets its turn in between.
PAY_OUT = Job("pay_out", partial(pay_out_due, limit=1), lambda: earliest(_under_way(), "due_at"))


def _lease(*, refund_id: UUID | None = None) -> Refund | None:
    """Lease the refund `refund_id`, or the first that is due, so that no other process asks for it. Return it.

    If this process dies, the refund is asked for again later, with the same key.
    """
    with transaction.atomic():
        now = database_now()
        selected = Q(due_at__lte=now) if refund_id is None else Q(id=refund_id)
        refund = (
            _under_way()
            .select_for_update(skip_locked=True)
            .filter(selected)
            .select_related("payment")
            .order_by("due_at")
            .first()
        )
        if refund is not None:
            refund.attempts += 1
            refund.due_at = now + timedelta(seconds=_BACKOFF[min(refund.attempts, len(_BACKOFF)) - 1] + 5)
            refund.save(update_fields=["attempts", "due_at"])
    return refund


def _ask_provider(refund: Refund) -> None:
    """Ask the provider to pay a leased refund out, in the trace of the request that made it, and apply the answer."""
    with continued(refund):
        _pay_out(refund)


def _pay_out(refund: Refund) -> None:
    failpoint("refund.leased")
    provider = provider_named(refund.payment.provider)
    amount = Money.from_minor(refund.amount_minor, refund.currency)
    try:
        if provider is None:
            raise NothingDone
        status = provider.refund(payment_key=str(refund.payment_id), key=str(refund.id), amount=amount)
    except (NothingDone, OutcomeUnknown):
        log.warning("refund.provider_silent", refund_id=str(refund.id), attempt=refund.attempts)
        # The refund may have been paid, so the clock asks again without limit. reconcile_payments lists it.
        return
    failpoint("refund.answered")
    if status is RefundStatus.FAILED and refund.attempts < len(_BACKOFF):
        return  # providers refuse refunds for temporary reasons; the next attempt is due later
    settle_refund(refund_id=refund.id, status=status)


def settle_refund(*, refund_id: UUID, status: RefundStatus) -> None:
    """Apply the provider's answer about a refund, with its ledger entries and its event, once.

    The event continues the trace of the request that made the refund.
    """
    made = Refund.objects.get(id=refund_id)
    with continued(made), transaction.atomic():
        now = database_now()
        booking = Booking.objects.select_for_update().get(id=made.booking_id)
        refund = Refund.objects.select_for_update().get(id=refund_id)
        if refund.status == status:
            return
        if refund.written_off_at is not None:
            log.error("alarm:written_off_refund_changed", refund_id=str(refund.id), status=str(status))
            return
        check_refund_move(RefundStatus(refund.status), status)
        refund.status = status
        refund.save(update_fields=["status"])
        if status is RefundStatus.SUCCEEDED:
            amount = Money.from_minor(refund.amount_minor, refund.currency)
            ledger.record(ledger.Kind.REFUND, booking.id, movement=refund.id, amount=amount, now=now)
            save_with_history(booking, events.refund_succeeded(refund), actor=PROVIDER, now=now)
        elif status is RefundStatus.FAILED:
            log.error("alarm:refund_failed", refund_id=str(refund.id))
            save_with_history(booking, events.refund_failed(refund), actor=PROVIDER, now=now)
        failpoint("refund.before_commit")
