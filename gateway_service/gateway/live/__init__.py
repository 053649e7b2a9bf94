"""Live updates: the feed of events, and following a booking or the seats of a departure through it."""
