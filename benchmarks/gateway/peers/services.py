"""What the Python peers share: channels to the services, this gateway's credential, and the travellers' tokens."""

import base64
import os
import time
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from contracts.travel.destinations.v1.destinations_pb2_grpc import DestinationsServiceStub
from contracts.travel.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub

STUBS: Final = {
    "users": UsersServiceStub,
    "destinations": DestinationsServiceStub,
    "bookings": BookingsServiceStub,
    "notifications": NotificationsServiceStub,
}
DEADLINE_SECONDS: Final = 5.0
CREDENTIAL_SECONDS: Final = 240
_KEY: Final = Ed25519PrivateKey.from_private_bytes(base64.b64decode(os.environ["SERVICE_PRIVATE_KEY"]))
_tokens: Final = jwt.PyJWKClient(os.environ["JWKS_URL"], cache_keys=True, lifespan=300)


@dataclass(slots=True)
class Credentials:
    """The credentials of the service `gateway` for the others. Each is renewed after some minutes."""

    _made: dict[str, tuple[str, float]] = field(default_factory=dict)

    def of(self, audience: str) -> str:
        """Return a credential for the service `audience`."""
        credential, until = self._made.get(audience, ("", 0.0))
        if time.time() > until:
            now = int(time.time())
            claims = {"iss": "gateway", "aud": audience, "iat": now, "exp": now + 300, "token_use": "service"}
            credential = jwt.encode(claims, _KEY, algorithm="EdDSA")
            self._made[audience] = credential, now + CREDENTIAL_SECONDS
        return credential


class Services:
    """The stubs of all services. Make it in a running event loop."""

    def __init__(self) -> None:
        self._credentials = Credentials()
        self._channels = {name: grpc.aio.insecure_channel(os.environ[f"{name.upper()}_GRPC"]) for name in STUBS}
        self._stubs = {name: make(self._channels[name]) for name, make in STUBS.items()}

    async def call(self, service: str, method: str, request: Any, *, token: str) -> Any:
        """Return the answer to `request` for the traveller of `token`."""
        metadata = (
            ("x-service-credential", self._credentials.of(service)),
            ("authorization", f"Bearer {token}"),
            ("x-locale", "en"),
        )
        return await getattr(self._stubs[service], method)(request, timeout=DEADLINE_SECONDS, metadata=metadata)

    async def close(self) -> None:
        """Close all channels."""
        for channel in self._channels.values():
            await channel.close()


def traveller_of(token: str) -> str:
    """Return the traveller's id in an access token. Raises jwt.PyJWTError for a token that is not valid."""
    key = _tokens.get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["EdDSA"], issuer="travel.users", audience="travel", leeway=30)
    return str(claims["sub"])
