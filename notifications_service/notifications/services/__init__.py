"""Writes of notifications: `request` notes what is to be told, `deliver` tells it, `sweep` finds what was left behind."""

from notifications_service.notifications.services.delivery import deliver
from notifications_service.notifications.services.request import request
from notifications_service.notifications.services.sweep import due, send_again

__all__ = ["deliver", "due", "request", "send_again"]
