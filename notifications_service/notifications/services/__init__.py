"""Writes of notifications: `request` writes one, `deliver` sends it, `sweep` finds what was not delivered in time."""

from notifications_service.notifications.services.delivery import deliver
from notifications_service.notifications.services.request import request
from notifications_service.notifications.services.sweep import NotFailed, overdue, send_again, sweep

__all__ = ["NotFailed", "deliver", "overdue", "request", "send_again", "sweep"]
