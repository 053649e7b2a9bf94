"""Everything that changes bookings and their money: one module per use case.

The folders are subjects: booking, payment, cancellation, departure change, refund, waiting list and seats. `job`
defines the class Job; `clock.py` lists the jobs. `purge` deletes old rows.
"""

from bookings_service.bookings.services.booking.create import create_booking
from bookings_service.bookings.services.booking.expire_holds import expire_holds
from bookings_service.bookings.services.booking.quote import create_quote
from bookings_service.bookings.services.booking.rename import rename_passenger
from bookings_service.bookings.services.cancellation.by_departure import cancel_bookings_of_cancelled_departures
from bookings_service.bookings.services.cancellation.by_staff import cancel_as_staff, quote_cancellation_as_staff
from bookings_service.bookings.services.cancellation.by_traveller import cancel_booking, quote_cancellation
from bookings_service.bookings.services.departure_change.accept import accept_change
from bookings_service.bookings.services.departure_change.follow import move_bookings_of_moved_departures
from bookings_service.bookings.services.payment.pay import pay_booking
from bookings_service.bookings.services.payment.reconcile import reconcile_due
from bookings_service.bookings.services.payment.webhooks import receive_webhook
from bookings_service.bookings.services.refund.by_finance import refund_booking, retry_refund, write_off_refund
from bookings_service.bookings.services.seats.follow_departures import apply_departure, mark_cancelled, set_capacity
from bookings_service.bookings.services.seats.offering import offer_to_waiting
from bookings_service.bookings.services.seats.publish import publish_inventory
from bookings_service.bookings.services.waitlist.entries import join_waitlist, leave_waitlist
from bookings_service.bookings.services.waitlist.expire_offers import expire_offers, expire_taken_offers

__all__ = [
    "accept_change",
    "apply_departure",
    "cancel_as_staff",
    "cancel_booking",
    "cancel_bookings_of_cancelled_departures",
    "create_booking",
    "create_quote",
    "expire_holds",
    "expire_offers",
    "expire_taken_offers",
    "join_waitlist",
    "leave_waitlist",
    "mark_cancelled",
    "move_bookings_of_moved_departures",
    "offer_to_waiting",
    "pay_booking",
    "publish_inventory",
    "quote_cancellation",
    "quote_cancellation_as_staff",
    "receive_webhook",
    "reconcile_due",
    "refund_booking",
    "rename_passenger",
    "retry_refund",
    "set_capacity",
    "write_off_refund",
]
