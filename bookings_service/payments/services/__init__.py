"""What can be done with payments: one module per use case."""

from bookings_service.payments.services.pay import pay_booking
from bookings_service.payments.services.reconcile import reconcile_due
from bookings_service.payments.services.staff_refunds import refund_booking, retry_refund, write_off_refund
from bookings_service.payments.services.webhooks import receive_webhook

__all__ = ["pay_booking", "receive_webhook", "reconcile_due", "refund_booking", "retry_refund", "write_off_refund"]
