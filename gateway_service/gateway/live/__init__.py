"""Live updates: the feed of events, and following bookings or free seats through it."""
