"""What the clock does in time, done now: payments come to their end, refunds reach the traveller."""

from bookings_service.bookings.services import reconcile_due
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments.domain import LIVE, OWED, PaymentStatus
from bookings_service.payments.models import Payment, Refund
from bookings_service.tests.factories import make_payment_stale, make_refunds_due

ROUNDS = 30


def settle_all_payments() -> None:
    """Ask the provider after every live payment until none is left but those that a person must answer."""
    live = Payment.objects.filter(status__in=LIVE).exclude(status=PaymentStatus.REQUIRES_ACTION)
    for _ in range(ROUNDS):
        if not (ids := list(live.values_list("id", flat=True))):
            return
        for payment_id in ids:
            make_payment_stale(payment_id)
        reconcile_due(limit=len(ids))
    raise AssertionError(f"{live.count()} payments do not end")


def pay_out_all_refunds() -> None:
    """Ask the provider for every refund that is owed until all of them are paid out."""
    owed = Refund.objects.filter(status__in=OWED)
    for _ in range(ROUNDS):
        if not (count := owed.count()):
            return
        make_refunds_due()
        pay_out.pay_out_due(limit=count)
    raise AssertionError(f"{owed.count()} refunds do not end")
