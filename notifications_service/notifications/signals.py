"""What happened here, for those who make it fast: sent after the commit, never relied upon."""

from django.dispatch import Signal

# Sent with `notification_id` once the notification's row is there to be found.
notification_requested = Signal()
