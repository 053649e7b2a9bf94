"""Access and refresh tokens of simplejwt, signed with EdDSA by a key of the database. The header names the key."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import Token

from shared.auth.tokens import ALGORITHM, AUDIENCE, ISSUER
from users_service.accounts import signing
from users_service.accounts.models import Session

REFRESH_AUDIENCE: Final = "travel.users.refresh"
ACCESS: Final = "access"
REFRESH: Final = "refresh"


class SigningBackend(TokenBackend):
    """simplejwt's backend for several keys. The header names the key of a token."""

    def __init__(self, audience: str) -> None:
        super().__init__(ALGORITHM, audience=audience, issuer=ISSUER)

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token. The same claims give the same token, because Ed25519 is deterministic."""
        kid, key = signing.signer()
        claims = {**payload, "iss": ISSUER, "aud": self.audience}
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the claims. Raises TokenBackendError if anything about the token is wrong."""
        try:
            header = jwt.get_unverified_header(token)
            key = signing.key(str(header.get("kid"))[:64]) if header.get("alg") == ALGORITHM else None
            if key is None:
                raise TokenBackendError("unknown key")
            return jwt.decode(
                token,
                key.public_key(),
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=ISSUER,
                options={"verify_exp": verify, "require": ["exp", "iat", "sub", "sid", "jti", "token_use"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenBackendError("bad token") from error


class SessionToken(Token):
    """A token of a session. All its claims come from the session's row, so the same row gives the same token."""

    def get_token_backend(self) -> TokenBackend:
        """Return the backend that signs and verifies this type of token."""
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
            **claims,
        }
        return str(token)


class AccessToken(SessionToken):
    """A token that every service accepts, for ACCESS_TOKEN_SECONDS."""

    token_type = ACCESS
    lifetime = timedelta(0)
    token_backend = SigningBackend(AUDIENCE)


class RefreshToken(SessionToken):
    """A token that gives the next pair, once."""

    token_type = REFRESH
    lifetime = timedelta(0)
    token_backend = SigningBackend(REFRESH_AUDIENCE)


def read_refresh_token(token: str) -> tuple[UUID, UUID] | None:
    """Return the session's id and the jti of a valid refresh token, or None if it is not valid."""
    try:
        claims = RefreshToken(token[:4_096]) if token else None  # type: ignore[arg-type]  # it takes text
        return (UUID(claims["sid"]), UUID(claims["jti"])) if claims is not None else None
    except (TokenError, TokenBackendError, ValueError, KeyError):
        return None


def access_lifetime() -> timedelta:
    """Return how long an access token lives."""
    return settings.ACCESS_TOKEN_LIFETIME
