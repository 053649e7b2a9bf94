"""Cancelling: by its traveller, by staff, or because the departure was cancelled."""
