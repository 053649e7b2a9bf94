"""The signals of notifications, sent after the commit. They only make delivery faster; the sweep guarantees it."""

from django.dispatch import Signal

# Sent with `notification_id` and its `queue`, after the notification's row is committed.
notification_requested = Signal()
