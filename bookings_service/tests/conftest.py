"""Fixtures of bookings_service: upstreams over gRPC, the payment sandbox in its own process, buyers with tokens."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from bookings_service.bookings import selectors, upstream
from bookings_service.bookings.contracts import Seats
from bookings_service.payments.providers import configured
from bookings_service.tests import doubles, stripe_doubles
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import SECRET
from shared.auth import Traveller
from shared.auth import testing as auth


@pytest.fixture(scope="session", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keys with which this process signs tokens, and which it trusts."""
    auth.install(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def _users() -> doubles.Users:
    return doubles.Users()


@pytest.fixture(scope="session")
def _destinations() -> doubles.Destinations:
    return doubles.Destinations()


@pytest.fixture(scope="session")
def _upstream_address(_users: doubles.Users, _destinations: doubles.Destinations) -> Iterator[str]:
    with doubles.served(_users, _destinations) as address:
        yield address


@pytest.fixture
def upstreams(_upstream_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both upstreams are called at the address at which the tests serve them."""
    monkeypatch.setenv("USERS_GRPC", _upstream_address)
    monkeypatch.setenv("DESTINATIONS_GRPC", _upstream_address)
    for breaker in (upstream._users_breaker, upstream._destinations_breaker):
        breaker.close()
    yield
    for channel in upstream.CHANNELS.values():
        channel.close()


@pytest.fixture
def users(upstreams: None, _users: doubles.Users) -> Iterator[doubles.Users]:
    """The test double of users_service."""
    _users.calls = 0
    yield _users
    _users.unavailable = False
    _users.before_answer = lambda: None
    _users.closed.clear()


@pytest.fixture
def destinations(upstreams: None, _destinations: doubles.Destinations) -> Iterator[doubles.Destinations]:
    """The test double of destinations_service."""
    yield _destinations
    _destinations.unavailable = False
    _destinations.departures.clear()


@pytest.fixture(scope="session")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with doubles.sandbox(tmp_path_factory.mktemp("sandbox"), secret=SECRET) as url:
        yield url


@pytest.fixture
def sandbox(_sandbox: str, settings: Any) -> Iterator[str]:
    """The payment sandbox. Its webhooks are lost unless the test sets their address."""
    settings.PAYMENT_SANDBOX_URL = _sandbox
    settings.PAYMENT_WEBHOOK_SECRETS = [SECRET]
    settings.PAYMENT_WEBHOOK_URL = "http://127.0.0.1:9/"
    settings.PROVIDER_SECONDS = 1.0
    configured.cache_clear()
    yield _sandbox
    configured.cache_clear()


@pytest.fixture(scope="session")
def localstripe() -> Iterator[str]:
    """A fake of Stripe's API in its own process."""
    with stripe_doubles.localstripe() as url:
        yield url


@pytest.fixture
def stripe(localstripe: str, sandbox: str, settings: Any) -> Iterator[str]:
    """Stripe takes new payments; the sandbox is configured too."""
    settings.PAYMENT_PROVIDER, settings.STRIPE_API_BASE, settings.STRIPE_RETURN_URL = "stripe", localstripe, ""
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = stripe_doubles.API_KEY, stripe_doubles.SECRET
    configured.cache_clear()
    yield localstripe
    configured.cache_clear()


@pytest.fixture
def buyer(users: doubles.Users, destinations: doubles.Destinations) -> Buyer:
    """A buyer."""
    return Buyer(destinations)


@pytest.fixture
def buyers(users: doubles.Users, destinations: doubles.Destinations) -> Callable[[int], list[Buyer]]:
    """Return as many buyers as asked for."""
    return lambda count: [Buyer(destinations) for _ in range(count)]


@pytest.fixture
def seats() -> Callable[[UUID], Seats]:
    """Return the seat counters of a departure."""
    return lambda departure_id: selectors.seats_of(departure_id=departure_id)


@pytest.fixture
def as_traveller() -> Callable[[Traveller], Client]:
    """Return a REST client with a traveller's token."""
    return lambda who: Client(headers={"authorization": f"Bearer {who.token}"}, raise_request_exception=True)
