"""Idempotency keys: a write that a client repeats takes effect once, and is answered as it was the first time."""
