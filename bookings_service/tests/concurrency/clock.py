"""Jobs of the clock, run now and until nothing is left to do: payments are settled, and refunds are paid out."""

from bookings_service.bookings.services import reconcile_due
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments.domain import LIVE, UNDER_WAY, PaymentStatus
from bookings_service.payments.models import Payment, Refund
from bookings_service.tests.factories import make_payment_stale, make_refunds_due

ROUNDS = 30


def settle_all_payments() -> None:
    """Ask the provider about every live payment until each has ended or waits for a person.

    A payment that waits for a person is asked about as well: the person may have approved it, and the webhook may not
    have come. Seen failing (test_in_any_order, at its whole size) without asking about those payments.
    """
    live = Payment.objects.filter(status__in=LIVE)
    for _ in range(ROUNDS):
        ids = list(live.values_list("id", flat=True))
        for payment_id in ids:
            make_payment_stale(payment_id)
        reconcile_due(limit=len(ids))
        if not live.exclude(status=PaymentStatus.REQUIRES_ACTION).exists():
            return
    raise AssertionError(f"{live.count()} payments are still live")


def pay_out_all_refunds() -> None:
    """Send every refund under way to the provider until all are paid out."""
    under_way = Refund.objects.filter(status__in=UNDER_WAY)
    for _ in range(ROUNDS):
        if not (count := under_way.count()):
            return
        make_refunds_due()
        pay_out.pay_out_due(limit=count)
    raise AssertionError(f"{under_way.count()} refunds are not paid out")
