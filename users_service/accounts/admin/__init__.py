"""The admin of accounts and of what happened to them."""

from users_service.accounts.admin import accounts, audit_log

__all__ = ["accounts", "audit_log"]
