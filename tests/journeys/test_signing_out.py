"""Signing out everywhere ends every token and socket of the account within 5 seconds, at every service."""

import time

import httpx
import pytest
import websockets

from shared.testing import eventually
from tests.journeys.api import Client, address
from tests.journeys.travellers import Traveller

ALL = "subscription { myBookingsUpdated { booking { reference } } }"
GUARDED = {
    "USERS_URL": "/api/v1/profile/",
    "DESTINATIONS_URL": "/api/v1/destinations/",
    "BOOKINGS_URL": "/api/v1/bookings/",
    "NOTIFICATIONS_URL": "/api/v1/notifications/",
    "PUBLIC_URL": "/api/v1/bookings/",
}


def statuses(token: str | None) -> list[int]:
    """Return what each service and the gateway answer to the token."""
    headers = {"Authorization": f"Bearer {token}"}
    return [httpx.get(address(name) + path, headers=headers, timeout=10).status_code for name, path in GUARDED.items()]


def test_signing_out_everywhere_ends_tokens_and_sockets_within_5_seconds() -> None:
    first = Traveller.register(first_name="Eva")
    second = Client(token=first.token)
    first.sign_in()
    assert statuses(first.token) == statuses(second.token) == [200] * 5
    with second.subscription(ALL) as subscription:
        assert first.graphql("mutation { logout(everywhere: true) { ok } }").field("logout") == {"ok": True}
        started = time.monotonic()

        with pytest.raises(websockets.ConnectionClosed) as closed:
            subscription.message(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403
    for token in (first.token, second.token):
        eventually(lambda token=token: statuses(token) == [401] * 5, timeout=5)
    assert time.monotonic() - started < 5
    assert second.graphql("{ me { id } }").codes == ["UNAUTHENTICATED"]
