"""Writes of notifications: `request` writes one, `deliver` sends it, `sweep` finds what was not delivered in time."""

from notifications_service.notifications.services.delivery import deliver
from notifications_service.notifications.services.pauses import probe_now as probe_channel
from notifications_service.notifications.services.pauses import resume as resume_channel
from notifications_service.notifications.services.request import request
from notifications_service.notifications.services.sweep import NotFailed, overdue, send_again, sweep
from notifications_service.notifications.services.undeliverable import lift as lift_undeliverable

__all__ = [
    "NotFailed",
    "deliver",
    "lift_undeliverable",
    "overdue",
    "probe_channel",
    "request",
    "resume_channel",
    "send_again",
    "sweep",
]
