"""Sign in to this service's admin, with the same accounts, limits and hashing as the other services' admins."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from shared.errors import DomainError
from shared.http.addresses import client_ip
from users_service.accounts.models import User
from users_service.accounts.services import authenticate_staff


class AccountBackend(ModelBackend):
    """Sign staff in with their account."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the staff account, or None if the credentials are not those of staff or were tried too often."""
        if not username or not password:
            return None
        try:
            staff = authenticate_staff(
                email=username, password=password, ip_address=client_ip(request) if request else ""
            )
        except DomainError:
            return None
        return User.objects.get(id=staff.id)
