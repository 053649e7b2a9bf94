"""Signing in to this service's admin: by the same accounts, limits and hashing as everywhere else."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from shared.errors import DomainError
from shared.http.middleware import client_ip
from users_service.accounts.models import User
from users_service.accounts.services import authenticate_staff


class AccountBackend(ModelBackend):
    """Staff sign in with their account."""

    def authenticate(  # type: ignore[override]  # the account is this service's own
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the staff account, or None where address and password are not staff's or were tried too often."""
        if not username or not password:
            return None
        try:
            staff = authenticate_staff(
                email=username, password=password, ip_address=client_ip(request) if request else ""
            )
        except DomainError:
            return None
        return User.objects.get(id=staff.id)
