"""Cancellations: by the traveller, by staff, or because the departure was cancelled."""
