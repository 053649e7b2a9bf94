"""Idempotency keys: a write that a client repeats takes effect once, and each repeat gets the same answer."""
