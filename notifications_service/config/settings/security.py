"""What keeps the service closed."""

from shared.settings import security

globals().update(security.hardening("notifications"))
