"""Payments: pay, settle with the provider's answer or webhook, reconcile, and confirm the booking."""
