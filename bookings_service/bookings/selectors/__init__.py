"""Everything that reads bookings: one module for each thing that is read."""

from bookings_service.bookings.selectors.booking import (
    BY_START,
    NEWEST,
    any_booking,
    booking_by_reference,
    bookings,
    bookings_by_id,
    bookings_of,
    view_of,
    view_of_new,
    views_of,
)
from bookings_service.bookings.selectors.departures import (
    Affected,
    availability,
    bookings_of_departure,
    check_free,
    seats_of,
    seats_refusal,
    seats_to_report,
)
from bookings_service.bookings.selectors.history import booking_with_history, history, history_entry_view
from bookings_service.bookings.selectors.quotes import cancellation_quote, cancellation_quote_view, quote, quote_view
from bookings_service.bookings.selectors.waitlist import waitlist_entries, waitlist_of, waitlist_view

__all__ = [
    "BY_START",
    "NEWEST",
    "Affected",
    "any_booking",
    "availability",
    "booking_by_reference",
    "booking_with_history",
    "bookings",
    "bookings_by_id",
    "bookings_of",
    "bookings_of_departure",
    "cancellation_quote",
    "cancellation_quote_view",
    "check_free",
    "history",
    "history_entry_view",
    "quote",
    "quote_view",
    "seats_of",
    "seats_refusal",
    "seats_to_report",
    "view_of",
    "view_of_new",
    "views_of",
    "waitlist_entries",
    "waitlist_of",
    "waitlist_view",
]
