"""The feed of events, and following a booking through it."""
