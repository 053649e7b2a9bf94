"""Refunds: how they are paid out, and what finance does with them."""
