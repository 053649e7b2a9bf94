"""The signals of notifications. They are sent after the commit and only make things faster; the sweep is the guarantee."""

from django.dispatch import Signal

# Sent with `notification_id`, after the notification's row is committed.
notification_requested = Signal()
