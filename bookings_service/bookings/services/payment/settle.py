"""Apply the provider's answer about a payment, once.

Payment, ledger, booking, seats and events change in one transaction.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings_service.bookings import events
from bookings_service.bookings.contracts import PROVIDER
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services.booking.transition import save_with_history
from bookings_service.bookings.services.payment.confirm import confirm
from bookings_service.payments import ledger
from bookings_service.payments.domain import LIVE, PaymentStatus, SettleOutcome, check_payment_move
from bookings_service.payments.models import Payment
from bookings_service.payments.providers.base import ProviderResult
from bookings_service.payments.refunds import record_refund
from bookings_service.payments.traces import continued
from shared.db import database_now
from shared.failpoints import failpoint
from shared.money import Money


def settle_payment(*, payment_id: UUID, result: ProviderResult) -> SettleOutcome:
    """Apply `result` to the payment, in the trace of the request that made it. Return what that changed.

    A result that contradicts the record (another amount, FAILED after SUCCEEDED) changes nothing. The locks are
    taken in the order of every other path: the booking, the payment, the inventory row.
    """
    made = Payment.objects.get(id=payment_id)
    with continued(made), transaction.atomic():
        now = database_now()
        booking = Booking.objects.select_for_update().get(id=made.booking_id)
        payment = Payment.objects.select_for_update().get(id=payment_id)
        if result.amount != Money.from_minor(payment.amount_minor, payment.currency):
            return SettleOutcome.CONTRADICTS
        if payment.status == result.status:
            return SettleOutcome.NOTHING_NEW
        if payment.status not in LIVE:
            # An ended payment ignores older, live results. SUCCEEDED after FAILED, or the reverse, is a contradiction.
            return SettleOutcome.NOTHING_NEW if result.status in LIVE else SettleOutcome.CONTRADICTS
        check_payment_move(PaymentStatus(payment.status), result.status)
        payment.status = result.status
        payment.failure_code = result.failure_code
        payment.redirect_url, payment.client_secret = result.redirect_url, result.client_secret
        payment.asked_at = now
        payment.save()
        if result.status is PaymentStatus.SUCCEEDED:
            _apply_capture(booking, payment, now=now)
        elif result.status is PaymentStatus.FAILED:
            save_with_history(booking, events.payment_failed(payment), actor=PROVIDER, now=now)
        failpoint("settle.before_commit")
        return SettleOutcome.APPLIED


def _apply_capture(booking: Booking, payment: Payment, *, now: datetime) -> None:
    amount = Money.from_minor(payment.amount_minor, payment.currency)
    ledger.record(ledger.Kind.CAPTURE, booking.id, movement=payment.id, amount=amount, now=now)
    save_with_history(booking, events.payment_succeeded(payment), actor=PROVIDER, now=now)
    if not confirm(booking, now=now):
        record_refund(booking.id, amount=amount, reason=booking.reason, now=now)
