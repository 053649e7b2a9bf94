"""A departure that the organiser moves after it was booked: its bookings follow, and their travellers may accept."""
