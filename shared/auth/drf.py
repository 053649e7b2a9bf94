"""Travellers over REST: DRF's authentication by bearer token, and permissions."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from shared.auth.tokens import Traveller, verify_access_token
from shared.errors import Unauthenticated


class TravellerAuthentication(BaseAuthentication):
    """Authenticates by `Authorization: Bearer …`. An invalid token is refused, never treated like no token."""

    def authenticate(self, request: Request) -> tuple[Traveller, str] | None:
        """Return the traveller, or None without a token. Raises Unauthenticated."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        traveller = verify_access_token(token.strip())
        return traveller, traveller.token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="travel"'


def traveller_of(request: Request) -> Traveller:
    """Return the signed-in traveller. Raises Unauthenticated if nobody is signed in."""
    if not isinstance(request.user, Traveller):
        raise Unauthenticated
    return request.user


class IsTraveller(BasePermission):
    """Allows signed-in travellers."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether somebody is signed in."""
        return isinstance(request.user, Traveller)


def has_role(*roles: str) -> type[BasePermission]:
    """Return a permission for travellers who have one of `roles` (catalogue_editor, booking_agent, finance, support,
    admin).
    """

    class _HasRole(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            return isinstance(request.user, Traveller) and not request.user.roles.isdisjoint({*roles, "admin"})

    return _HasRole


class _BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TravellerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
