"""What keeps the service closed."""

from shared.settings import security

globals().update(security.hardening("users"))

# Staff of this service's admin are its own accounts: nobody else has to be asked.
AUTHENTICATION_BACKENDS = ["users_service.accounts.backends.AccountBackend"]
