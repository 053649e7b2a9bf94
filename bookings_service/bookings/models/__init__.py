"""The tables of bookings, with the constraints that the database enforces."""

from bookings_service.bookings.models.bookings import Booking, BookingEvent, CancellationQuote, Passenger
from bookings_service.bookings.models.quotes import Quote
from bookings_service.bookings.models.seats import SeatInventory
from bookings_service.bookings.models.waitlist import WaitlistEntry

__all__ = ["Booking", "BookingEvent", "CancellationQuote", "Passenger", "Quote", "SeatInventory", "WaitlistEntry"]
