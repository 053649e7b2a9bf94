"""Fixtures of bookings_service: upstreams over gRPC, the payment sandbox in its own process, buyers with tokens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client, override_settings

from bookings_service.bookings import selectors, services, upstream
from bookings_service.bookings.contracts import (
    BookingView,
    CreateQuote,
    QuoteView,
    Seats,
    WaitlistView,
)
from bookings_service.bookings.services import pay_booking
from bookings_service.payments.contracts import PaymentView
from bookings_service.payments.providers import configured
from bookings_service.tests import doubles, stripe_doubles
from bookings_service.tests.factories import create_booking_command
from shared.auth import Traveller
from shared.auth import testing as auth
from shared.deadline import Deadline
from shared.ids import uuid7

SECRET = "the-webhook-secret-of-the-tests"
UNANSWERED_SECONDS = 0.3  # long enough for the sandbox to receive a payment


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
    _users.unverified.clear()


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
    settings.PAYMENT_WEBHOOK_SECRET = SECRET
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


def new_traveller(person_id: UUID | None = None) -> Traveller:
    """Return a traveller with their own token."""
    person_id, session_id = person_id or uuid7(), uuid7()
    return Traveller(person_id, session_id, token=auth.mint_access_token(person_id, session_id=session_id))


@dataclass
class Buyer:
    """A traveller who quotes, books, pays, cancels and waits, through the services."""

    destinations: doubles.Destinations
    who: Traveller = field(default_factory=new_traveller)

    def quote(
        self, departure_id: UUID, *, adults: int = 2, children: int = 0, entry: WaitlistView | None = None
    ) -> QuoteView:
        """Ask for a quote. If `entry` is given, the quote takes the seats offered to it."""
        command = CreateQuote(departure_id, adults, children, waitlist_entry_id=entry.id if entry else None)
        return services.create_quote(command=command, traveller=self.who, deadline=Deadline.after(5))

    def book_quote(self, quote: QuoteView, *, key: str | None = None, **changes: Any) -> BookingView:
        """Book a quote."""
        return services.create_booking(
            command=create_booking_command(quote, key=key, **changes), traveller=self.who, deadline=Deadline.after(5)
        )

    def join(self, departure_id: UUID, *, seats: int = 2) -> WaitlistView:
        """Join the waiting list of a departure."""
        return services.join_waitlist(
            departure_id=departure_id, seats=seats, traveller=self.who, deadline=Deadline.after(5)
        )

    def waitlist_entry(self, departure_id: UUID) -> WaitlistView:
        """Return the traveller's newest waiting-list entry for a departure."""
        entries = selectors.waitlist_of(traveller_ids=[self.who.id])[self.who.id]
        return next(entry for entry in entries if entry.departure_id == departure_id)

    def book(self, departure_id: UUID, *, adults: int = 2, children: int = 0) -> BookingView:
        """Quote and book."""
        return self.book_quote(self.quote(departure_id, adults=adults, children=children))

    def pay(
        self, booking: BookingView, method: str = "pm_ok", *, key: str | None = None
    ) -> tuple[PaymentView, BookingView]:
        """Pay a booking."""
        return pay_booking(
            reference=booking.reference, payment_method=method, idempotency_key=key or str(uuid4()), traveller=self.who
        )

    def pay_without_answer(self, booking: BookingView) -> PaymentView:
        """Pay with a method that the sandbox captures without answering; wait for the answer only briefly."""
        with override_settings(PROVIDER_SECONDS=UNANSWERED_SECONDS):
            configured.cache_clear()
            payment, _ = self.pay(booking, "pm_timeout")
        configured.cache_clear()
        return payment

    def cancel(self, booking: BookingView, *passenger_ids: UUID) -> BookingView:
        """Ask for a cancellation quote and confirm it."""
        quote = services.quote_cancellation(
            reference=booking.reference, passenger_ids=passenger_ids, traveller=self.who
        )
        return services.cancel_booking(cancellation_quote_id=quote.id, traveller=self.who)


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
