"""Break-glass accounts: local superusers of an admin, for the time in which users_service is unavailable.

They are off unless BREAK_GLASS is true. Then only superusers with a usable password sign in this way, never the copies
of staff accounts. While they are off, the admin hashes no password of a local account: it has no back end that would,
and no page to change one (`shared.local_accounts`).
"""

from typing import Any, Final

import structlog
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest

from shared.errors import RateLimited
from shared.http.addresses import client_ip, network_of
from shared.limits import SignIns

LONGEST_PASSWORD: Final = 128
_SIGN_INS: Final = SignIns("break-glass")
log = structlog.get_logger(__name__)


class BreakGlassBackend(ModelBackend):
    """Sign a local superuser in. Every attempt is logged at ERROR, without what was typed."""

    def authenticate(  # type: ignore[override]  # each service has its own staff model
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> AbstractUser | None:
        """Return the superuser, or None if the credentials are wrong or were tried too often.

        An unknown name takes as long as a known one: one hash.
        """
        if not username or not password or len(password) > LONGEST_PASSWORD:
            return None
        account, network = username.casefold(), network_of(client_ip(request)) if request else ""
        try:
            _SIGN_INS.before(account=account, network=network)
        except RateLimited:
            log.error("break_glass_limited")
            return None
        user = super().authenticate(request, username=username, password=password)
        if user is None:
            log.error("break_glass_refused")
            return None
        _SIGN_INS.after(account=account, network=network)
        log.error("break_glass_used", user_id=user.pk)
        return user

    def user_can_authenticate(self, user: AbstractUser) -> bool:  # type: ignore[override]
        """Return whether the account is an active superuser."""
        return user.is_active and user.is_superuser
