"""Everything that reads bookings and their money: one module for each thing that is read."""

from bookings_service.bookings.selectors.booking import (
    BookingOrder,
    booking_by_reference,
    booking_of_any_traveller,
    bookings_by_id,
    bookings_page,
    count_bookings,
    view_of,
    view_of_new,
)
from bookings_service.bookings.selectors.departures import (
    LiveBookingsCount,
    availability,
    bookings_of_departures,
    check_free,
    count_live_bookings,
    seats_of,
    seats_refusal,
    seats_to_report,
)
from bookings_service.bookings.selectors.history import booking_with_history, history
from bookings_service.bookings.selectors.payments import ended_payments_made_since, live_payments, payments_by_id
from bookings_service.bookings.selectors.quotes import cancellation_quote, cancellation_quote_view, quote, quote_view
from bookings_service.bookings.selectors.refunds import owed_refunds, refunds_by_id
from bookings_service.bookings.selectors.sequences import (
    BookingSequence,
    DepartureSequence,
    booking_sequences,
    departure_sequences,
)
from bookings_service.bookings.selectors.waitlist import waitlist_entries, waitlist_of, waitlist_view

__all__ = [
    "BookingOrder",
    "BookingSequence",
    "DepartureSequence",
    "LiveBookingsCount",
    "availability",
    "booking_by_reference",
    "booking_of_any_traveller",
    "booking_sequences",
    "booking_with_history",
    "bookings_by_id",
    "bookings_of_departures",
    "bookings_page",
    "cancellation_quote",
    "cancellation_quote_view",
    "check_free",
    "count_bookings",
    "count_live_bookings",
    "departure_sequences",
    "ended_payments_made_since",
    "history",
    "live_payments",
    "owed_refunds",
    "payments_by_id",
    "quote",
    "quote_view",
    "refunds_by_id",
    "seats_of",
    "seats_refusal",
    "seats_to_report",
    "view_of",
    "view_of_new",
    "waitlist_entries",
    "waitlist_of",
    "waitlist_view",
]
