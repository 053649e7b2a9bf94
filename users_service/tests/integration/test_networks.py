"""Whom a limit counts: the traveller behind the gateway's façade, by the network that the traveller has."""

from ipaddress import ip_network

import pytest

from users_service.accounts.models import Session
from users_service.tests.conftest import Visitor
from users_service.tests.factories import UserFactory

GATEWAY = "127.0.0.2"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _trusts_the_gateway(settings):
    settings.TRUSTED_PROXIES = [ip_network(GATEWAY)]


def by_facade(email, password=None, *, address):
    """Send a sign-in as the façade does for a traveller at `address`."""
    words = (email,) if password is None else (email, password)
    return Visitor(GATEWAY).login(*words, **{"x-forwarded-for": address})


def test_failures_of_one_traveller_never_lock_out_another_behind_the_facade():
    """Seen failing (429 for the owner) while the gateway was not trusted."""
    user = UserFactory()
    statuses = [by_facade(user.email, "wrong", address="198.51.100.66").status_code for _ in range(11)]

    assert statuses == [401] * 10 + [429]
    assert by_facade(user.email, address="203.0.113.9").status_code == 200


def test_a_session_stores_the_travellers_address_and_ignores_lies():
    user = UserFactory()

    by_facade(user.email, address="203.0.113.9")
    Visitor("127.0.0.1").login(user.email, **{"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1"})

    addresses = Session.objects.order_by("created_at").values_list("ip_address", flat=True)
    assert list(addresses) == ["203.0.113.9", "127.0.0.1"]


def test_all_addresses_of_a_subscriber_count_together():
    """Seen failing (401) if the limit counts single IPv6 addresses."""
    user = UserFactory()
    statuses = [
        by_facade(user.email, "wrong", address=f"2001:db8:1:2:{number:x}::1").status_code for number in range(1, 12)
    ]

    assert statuses == [401] * 10 + [429]
    assert by_facade(user.email, address="2001:db8:1:3::1").status_code == 200
    assert by_facade(user.email, address="2001:db8:1:2::99").status_code == 200, "signing in resets the account's count"
