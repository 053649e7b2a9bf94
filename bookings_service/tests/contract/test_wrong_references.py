"""Guesses of booking references are counted together, by whatever way they come: RPC, stream or REST."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import grpc
import pytest
import redis
from django.test import Client

from bookings_service.bookings import selectors, services, wrong_references
from bookings_service.bookings.models import Booking, CancellationQuote
from bookings_service.bookings.rpc.servicer import BookingsServicer
from bookings_service.payments.models import Payment
from bookings_service.tests.buyer import Buyer, new_traveller
from bookings_service.tests.doubles import Destinations
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub, add_BookingsServiceServicer_to_server
from shared import limits
from shared.auth import Traveller
from shared.auth.testing import credential_of
from shared.errors import NotFound, RateLimited
from shared.ids import uuid7
from shared.rpc.testing import running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox", "valkey")]

WRONG = "ZZZZ2222"
FIELDS = {"PayBooking": lambda: {"payment_method": "pm_ok", "idempotency_key": str(uuid4())}}
REST = {"": "GET", "history/": "GET", "cancellation-quotes/": "POST", "payments/": "POST"}
METHODS = ("GetBooking", "PayBooking", "QuoteCancellation", "ListBookingEvents", "WatchBooking")
WAYS = (*METHODS, *REST)


@pytest.fixture
def channel() -> Iterator[grpc.Channel]:
    def add(server: grpc.aio.Server) -> None:
        add_BookingsServiceServicer_to_server(BookingsServicer(), server)

    with running(add) as server, grpc.insecure_channel(server.address) as opened:
        yield opened


@pytest.fixture
def ask(channel: grpc.Channel) -> Callable[[str, Traveller, str], str]:
    """Return a function that uses a reference in one of WAYS, and returns the status as a word."""

    def by_rpc(method: str, who: Traveller, reference: str) -> str:
        request = getattr(pb, f"{method}Request")(reference=reference, **FIELDS.get(method, dict)())
        headers = [
            ("x-service-credential", credential_of("gateway", "bookings")),
            ("authorization", f"Bearer {who.token}"),
        ]
        try:
            answer = getattr(BookingsServiceStub(channel), method)(request, metadata=headers, timeout=10)
            if method == "WatchBooking":
                next(answer)
                answer.cancel()
        except grpc.RpcError as error:
            return {grpc.StatusCode.NOT_FOUND: "unknown", grpc.StatusCode.RESOURCE_EXHAUSTED: "limited"}[error.code()]
        return "found"

    def by_rest(path: str, who: Traveller, reference: str) -> str:
        client = Client(headers={"authorization": f"Bearer {who.token}", "idempotency-key": str(uuid4())})
        url = f"/api/v1/bookings/{reference}/{path}"
        body = {"payment_method": "pm_ok"} if path == "payments/" else {}
        response = client.get(url) if REST[path] == "GET" else client.post(url, body, content_type="application/json")
        if response.status_code == 429:
            assert 0 < int(response["Retry-After"]) <= 60
        return {404: "unknown", 429: "limited"}.get(response.status_code, "found")

    return lambda way, who, reference: (by_rest if way in REST else by_rpc)(way, who, reference)


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_reference_counts_and_is_limited_by_every_way(
    way: str, ask: Any, buyer: Buyer, destinations: Destinations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each case was seen failing without `limited` around its look-up. The traveller's own booking is limited too, else
    the limit would tell right references from wrong ones. A stranger's guesses do not limit the owner.
    """
    monkeypatch.setattr(wrong_references, "WRONG_REFERENCES", 3)
    booking = buyer.book(destinations.publish())
    guesser = new_traveller()

    answers = [ask(way, guesser, reference) for reference in (WRONG, booking.reference, "x")]
    refused = [ask(other, guesser, booking.reference) for other in WAYS]

    assert answers == ["unknown"] * 3
    assert refused == ["limited"] * len(WAYS)
    assert ask(way, buyer.who, booking.reference) == "found"


def test_a_refused_guess_writes_nothing(
    ask: Any, buyer: Buyer, destinations: Destinations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_references, "WRONG_REFERENCES", 1)
    booking = buyer.book(destinations.publish())
    ask("GetBooking", buyer.who, WRONG)

    assert {ask(way, buyer.who, booking.reference) for way in WAYS} == {"limited"}
    assert (Payment.objects.count(), CancellationQuote.objects.count()) == (0, 0)
    assert Booking.objects.get().status == "PENDING"


def test_the_sixty_first_guess_in_a_minute_is_refused() -> None:
    traveller_id = uuid7()
    for _ in range(60):
        with pytest.raises(NotFound):
            selectors.booking_by_reference(reference=WRONG, traveller_id=traveller_id)

    with pytest.raises(RateLimited) as refused:
        selectors.booking_by_reference(reference=WRONG, traveller_id=traveller_id)

    assert 0 < refused.value.retry_after <= 60


def test_right_references_never_count(buyer: Buyer, destinations: Destinations) -> None:
    reference = buyer.book(destinations.publish()).reference

    for _ in range(70):
        selectors.booking_by_reference(reference=reference, traveller_id=buyer.who.id)


def test_staff_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_references, "WRONG_REFERENCES", 1)
    staff_id = uuid7()

    for _ in range(5):
        with pytest.raises(NotFound):
            services.quote_cancellation_as_staff(
                reference=WRONG, passenger_ids=[], staff_id=staff_id, staff_reason="asked by phone"
            )


def test_nobody_is_limited_while_valkey_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_references, "WRONG_REFERENCES", 1)
    away = redis.ConnectionPool(port=1)
    monkeypatch.setattr(limits, "get_redis_connection", lambda _: redis.Redis(connection_pool=away))
    traveller_id = uuid7()

    for _ in range(3):
        with pytest.raises(NotFound):
            selectors.booking_by_reference(reference=WRONG, traveller_id=traveller_id)
