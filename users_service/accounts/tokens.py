"""Access tokens of simplejwt, signed with EdDSA by a key of the database. The header names the key."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.tokens import Token

from shared.auth.tokens import ALGORITHM, AUDIENCE, ISSUER
from users_service.accounts import signing
from users_service.accounts.models import Session


class SigningBackend(TokenBackend):
    """simplejwt's backend for several keys. The header names the key of a token. `shared.auth` verifies the tokens."""

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token. The same claims give the same token: `iat` decides which key signs."""
        kid, key = signing.signer(at=datetime.fromtimestamp(payload["iat"], UTC))
        claims = {**payload, "iss": ISSUER, "aud": AUDIENCE}
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


class AccessToken(Token):
    """A token that every service accepts, for ACCESS_TOKEN_SECONDS. Its claims come from the session's row."""

    token_type = "access"  # noqa: S105 — a kind of token, no secret
    lifetime = timedelta(0)
    token_backend = SigningBackend(ALGORITHM)

    def get_token_backend(self) -> TokenBackend:
        """Return the backend that signs this type of token."""
        return self.token_backend

    @classmethod
    def of(cls, session: Session, *, at: datetime, jti: UUID, expires_at: datetime, **claims: Any) -> str:
        """Return the encoded token, issued at `at`."""
        token = cls()
        token.payload = {
            "token_use": cls.token_type,
            "sub": str(session.user_id),
            "sid": str(session.id),
            "jti": jti.hex,
            "iat": int(at.timestamp()),
            "exp": int(expires_at.timestamp()),
            "auth_time": int(session.created_at.timestamp()),
            **claims,
        }
        return str(token)


def access_lifetime() -> timedelta:
    """Return how long an access token lives."""
    return settings.ACCESS_TOKEN_LIFETIME
