"""travel.bookings.v1 over a real socket: who may call, the answers, and streams that are woken by notifications."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from django.db import connection
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from bookings_service.bookings.models import Booking, BookingEvent
from bookings_service.bookings.rpc.servicer import BookingsServicer
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations, Users
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub, add_BookingsServiceServicer_to_server
from contracts.travel.common.v1 import common_pb2
from shared.auth.testing import credential_of, mint_access_token
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.rpc.testing import running
from shared.testing import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

PAY = {"payment_method": "pm_ok", "idempotency_key": "k"}
METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["BookingsService"].methods]


def add(server: grpc.aio.Server) -> None:
    add_BookingsServiceServicer_to_server(BookingsServicer(), server)


@pytest.fixture
def channel() -> Iterator[grpc.Channel]:
    """A channel to the service as it is served in production."""
    with running(add) as server, grpc.insecure_channel(server.address) as opened:
        yield opened


class Client:
    """The gateway, calling for a traveller."""

    def __init__(self, channel: grpc.Channel, person_id: UUID, *, caller: str = "gateway") -> None:
        self._stub = BookingsServiceStub(channel)
        self.metadata = [
            ("x-service-credential", credential_of(caller, "bookings")),
            ("authorization", f"Bearer {mint_access_token(person_id)}"),
        ]

    def __call__(self, method: str, *, timeout: float | None = 10, **fields: Any) -> Any:
        """Call a method."""
        return getattr(self._stub, method)(request_of(method)(**fields), metadata=self.metadata, timeout=timeout)


def request_of(method: str) -> Any:
    return getattr(pb, f"{method}Request")


@pytest.fixture
def client(channel: grpc.Channel) -> Callable[[UUID], Client]:
    """Return a client for a traveller."""
    return lambda person_id: Client(channel, person_id)


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str, dict[str, Any]]:
    """Return status, code and params of the refusal."""
    with pytest.raises(grpc.RpcError) as refused:
        call()
    reason, params = "", {}
    status = rpc_status.from_call(refused.value)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            reason, params = info.reason, {name: json.loads(value) for name, value in info.metadata.items()}
    return refused.value.code(), reason, params


def passengers(adults: int) -> list[pb.PassengerInput]:
    return [
        pb.PassengerInput(first_name="Ann", last_name="Lindqvist", kind=pb.PASSENGER_KIND_ADULT) for _ in range(adults)
    ]


def test_a_booking_from_quote_to_cancellation(
    client: Callable[[UUID], Client], destinations: Destinations, users: Users
) -> None:
    departure = destinations.publish(capacity=5, adult=10_000)
    ask = client(uuid7())

    quote = ask("CreateQuote", departure_id=str(departure), adults=2).quote
    assert ask("GetQuote", id=quote.id).quote == quote
    booking = ask("CreateBooking", quote_id=quote.id, passengers=passengers(2), idempotency_key=str(uuid4())).booking
    assert (booking.status, booking.total.minor_units) == (pb.BOOKING_STATUS_PENDING, 20_000)
    paid = ask("PayBooking", reference=booking.reference, payment_method="pm_ok", idempotency_key=str(uuid4()))
    assert (paid.payment.status, paid.booking.status) == (pb.PAYMENT_STATUS_SUCCEEDED, pb.BOOKING_STATUS_CONFIRMED)
    assert ask("GetBooking", reference=booking.reference).booking == paid.booking
    assert list(ask("BatchGetBookings", ids=[booking.id, str(uuid7())]).bookings) == [paid.booking]
    assert [payment.id for payment in ask("BatchGetPayments", ids=[paid.payment.id]).payments] == [paid.payment.id]
    assert ask("BatchGetAvailability", departure_ids=[str(departure)]).availabilities[0].seats_available == 3
    history = ask("ListBookingEvents", reference=booking.reference, after_sequence=1)
    assert [event.sequence for event in history.events] == [2, 3]
    assert ask("BatchListBookingEvents", booking_ids=[booking.id]).histories[0].events[0].type == "booking.created"
    offer = ask("QuoteCancellation", reference=booking.reference).cancellation_quote
    assert offer.refund.minor_units == 20_000
    assert ask("GetCancellationQuote", id=offer.id).cancellation_quote == offer
    after = ask("CancelBooking", cancellation_quote_id=offer.id).booking
    assert (after.status, after.reason) == (pb.BOOKING_STATUS_CANCELLED, pb.BOOKING_REASON_CANCELLED_BY_TRAVELLER)
    assert [refund.id for refund in ask("BatchGetRefunds", ids=[after.refunds[0].id]).refunds] == [after.refunds[0].id]


def test_a_page_per_traveller(client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(capacity=50)
    made = [buyer.book(departure, adults=1).reference for _ in range(5)]
    ask, somebody = client(buyer.who.id), str(uuid7())

    def page(**paging: Any) -> Any:
        fields = {"traveller_ids": [str(buyer.who.id), somebody], "page": common_pb2.PageRequest(**paging)}
        return ask("BatchListBookings", **fields).pages

    first, others = page(first=2)
    assert [edge.node.reference for edge in first.edges] == made[:-3:-1]
    assert (first.total_count, first.page_info.has_next_page, len(others.edges)) == (5, True, 0)
    second, _ = page(first=3, after=first.page_info.end_cursor)
    assert [edge.node.reference for edge in second.edges] == made[2::-1]
    assert not second.page_info.has_next_page


def test_reading_many_costs_as_many_queries_as_reading_one(
    client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations
) -> None:
    from django.test.utils import CaptureQueriesContext

    from bookings_service.bookings import selectors

    departure = destinations.publish(capacity=50)
    ids = [buyer.book(departure, adults=1).id for _ in range(5)]
    counted = []
    for some in (ids[:1], ids):
        with CaptureQueriesContext(connection) as queries:
            selectors.bookings_by_id(ids=some, traveller_id=buyer.who.id)
        counted.append(len(queries))

    assert counted[0] == counted[1]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_needs_a_credential_of_an_allowed_caller(channel: grpc.Channel, method: str) -> None:
    stub, token = BookingsServiceStub(channel), ("authorization", f"Bearer {mint_access_token()}")
    old = credential_of("gateway", "bookings", now=time.time() - 3_600)

    def code(*metadata: tuple[str, str]) -> grpc.StatusCode:
        def call() -> Any:
            answer = getattr(stub, method)(request_of(method)(), metadata=metadata, timeout=10)
            return list(answer) if method == "WatchBooking" else answer

        return refusal(call)[0]

    assert code(token) is grpc.StatusCode.UNAUTHENTICATED
    assert code(token, ("x-service-credential", old)) is grpc.StatusCode.UNAUTHENTICATED
    assert code(token, ("x-service-credential", credential_of("gateway", "users"))) is grpc.StatusCode.UNAUTHENTICATED
    assert code(token, ("x-service-credential", credential_of("notifications", "bookings"))) is (
        grpc.StatusCode.PERMISSION_DENIED
    )
    if method not in ("SetCapacity", "BatchCountBookings", "BatchGetAvailability", "BatchGetSequences"):
        assert code(("x-service-credential", credential_of("gateway", "bookings"))) is grpc.StatusCode.UNAUTHENTICATED


def test_bookings_of_others_are_answered_as_unknown(
    client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations
) -> None:
    quote = buyer.quote(destinations.publish())
    booking = buyer.book_quote(quote)
    payment, _ = buyer.pay(booking)
    other = client(uuid7())
    unknown = {"reference": "ZZZZZZZZ"}

    for method, foreign, nonexistent in (
        ("GetQuote", {"id": str(quote.id)}, {"id": str(uuid7())}),
        ("GetBooking", {"reference": booking.reference}, unknown),
        ("ListBookingEvents", {"reference": booking.reference}, unknown),
        ("PayBooking", *({**fields, **PAY} for fields in ({"reference": booking.reference}, unknown))),
        ("QuoteCancellation", {"reference": booking.reference}, unknown),
    ):  # fmt: skip
        assert refusal(lambda m=method, f=foreign: other(m, **f)) == refusal(
            lambda m=method, f=nonexistent: other(m, **f)
        )
        assert refusal(lambda m=method, f=foreign: other(m, **f))[0] is grpc.StatusCode.NOT_FOUND
    assert list(other("BatchGetBookings", ids=[str(booking.id)]).bookings) == []
    assert list(other("BatchGetPayments", ids=[str(payment.id)]).payments) == []
    assert list(other("BatchListBookingEvents", booking_ids=[str(booking.id)]).histories[0].events) == []
    assert refusal(lambda: list(other("WatchBooking", reference=booking.reference)))[0] is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("reference", ["", "A\x00B", "x" * 100_000, "' OR 1=1 --", "💩"])
def test_a_malformed_reference_is_answered_as_unknown(client: Callable[[UUID], Client], reference: str) -> None:
    ask = client(uuid7())

    codes = {
        refusal(lambda m=method, f=fields: ask(m, reference=reference, **f))[0]
        for method, fields in (
            ("GetBooking", {}),
            ("PayBooking", PAY),
            ("ListBookingEvents", {}),
            ("QuoteCancellation", {}),
        )
    }

    assert codes == {grpc.StatusCode.NOT_FOUND}


def test_too_much_at_once(client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())
    ask = client(buyer.who.id)

    assert refusal(lambda: ask("BatchGetBookings", ids=[str(uuid4())] * 1_001))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(lambda: ask("GetBooking", reference="x" * 5_000_000))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ask("GetBooking", reference=booking.reference).booking.id == str(booking.id)


def test_a_deadline_of_a_millisecond_leaves_a_whole_booking_or_nothing(
    client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations
) -> None:
    ask = client(buyer.who.id)
    quotes = [buyer.quote(destinations.publish(), adults=1) for _ in range(5)]

    codes = {
        refusal(
            lambda q=quote: ask(
                "CreateBooking",
                timeout=0.001,
                quote_id=str(q.id),
                passengers=passengers(1),
                idempotency_key=str(uuid4()),
            )
        )[0]
        for quote in quotes
    }

    assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}
    time.sleep(0.5)
    made = Booking.objects.count()
    assert BookingEvent.objects.count() == OutboxEvent.objects.count() == made


def test_no_reflection_in_production(channel: grpc.Channel, settings: Any) -> None:
    settings.DEBUG = False
    with running(add) as server, grpc.insecure_channel(server.address) as opened:
        asked = reflection_pb2_grpc.ServerReflectionStub(opened).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=5
        )
        assert refusal(lambda: list(asked))[0] is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("CreateQuote", {"departure_id": "x", "adults": 1}),
        ("CreateQuote", {"departure_id": str(uuid4()), "adults": 0}),
        ("GetQuote", {"id": "' OR 1=1 --"}),
        ("CreateBooking", {"quote_id": str(uuid4()), "idempotency_key": "k"}),
        ("CreateBooking", {"quote_id": str(uuid4()), "passengers": [pb.PassengerInput(first_name="A")], "idempotency_key": "k"}),
        ("ListBookingEvents", {"reference": "x", "after_sequence": -1}),
        ("BatchGetBookings", {"ids": ["x"]}),
        ("CancelBooking", {"cancellation_quote_id": "x"}),
    ],
)  # fmt: skip
def test_malformed_requests_are_refused(
    client: Callable[[UUID], Client], users: Users, method: str, fields: dict[str, Any]
) -> None:
    assert refusal(lambda: client(uuid7())(method, **fields))[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_refusals_carry_code_and_numbers(
    client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations
) -> None:
    departure = destinations.publish(capacity=3)
    buyer.book(departure)

    refused = refusal(lambda: client(uuid7())("CreateQuote", departure_id=str(departure), adults=2))

    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "SEATS_UNAVAILABLE", {"seatsLeft": 1})


def test_only_destinations_may_set_the_capacity(
    channel: grpc.Channel, buyer: Buyer, destinations: Destinations
) -> None:
    departure = destinations.publish(capacity=9)
    buyer.book(departure, adults=4)
    ask = Client(channel, uuid7(), caller="destinations")

    refused = refusal(lambda: ask("SetCapacity", departure_id=str(departure), capacity=3, version=2))
    assert refused[1:] == ("CAPACITY_BELOW_SOLD", {"held": 4, "sold": 0})
    assert ask("SetCapacity", departure_id=str(departure), capacity=4, version=2).capacity == 4
    assert refusal(lambda: Client(channel, uuid7())("SetCapacity"))[0] is grpc.StatusCode.PERMISSION_DENIED


# ---------------------------------------------------------------------------- streams
class Watcher:
    """A stream that is read in its own thread."""

    def __init__(self, client: Client, **fields: Any) -> None:
        self.seen: list[pb.WatchBookingResponse] = []
        self._call = client("WatchBooking", timeout=60, **fields)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for update in self._call:
                self.seen.append(update)
        except grpc.RpcError:
            return

    @property
    def types(self) -> list[str]:
        return [update.event.type for update in self.seen]

    def stop(self) -> None:
        self._call.cancel()
        self._thread.join(5)


def test_a_watcher_sees_everything_once_and_in_order(
    client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations
) -> None:
    booking = buyer.book(destinations.publish())
    ask = client(buyer.who.id)
    from_start, rest = (
        Watcher(ask, reference=booking.reference),
        Watcher(ask, reference=booking.reference, after_sequence=1),
    )
    eventually(lambda: from_start.types == ["booking.created"])

    started = time.monotonic()
    buyer.pay(booking)
    eventually(lambda: len(from_start.seen) == 3 and len(rest.seen) == 2, 8.0)
    assert time.monotonic() - started < 8.0  # woken by a notification, not by the sweep
    buyer.cancel(booking)
    eventually(lambda: len(from_start.seen) == 4 and len(rest.seen) == 3, 8.0)
    for watcher in (from_start, rest):
        watcher.stop()

    assert from_start.types == ["booking.created", "payment.succeeded", "booking.confirmed", "booking.cancelled"]
    assert [update.event.sequence for update in rest.seen] == [2, 3, 4]
    assert rest.seen[-1].booking.status == pb.BOOKING_STATUS_CANCELLED


def test_many_watchers_need_one_connection_and_no_thread(
    client: Callable[[UUID], Client], buyer: Buyer, destinations: Destinations
) -> None:
    """Thirty watchers use one LISTEN connection, and other calls are still answered."""
    booking = buyer.book(destinations.publish())
    ask = client(buyer.who.id)
    watchers = [Watcher(ask, reference=booking.reference) for _ in range(30)]
    eventually(lambda: all(watcher.seen for watcher in watchers), 15.0)

    assert ask("GetBooking", reference=booking.reference, timeout=5).booking.id == str(booking.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
        assert cursor.fetchone()[0] == 1
    buyer.pay(booking)
    eventually(lambda: all(len(watcher.seen) == 3 for watcher in watchers), 15.0)
    for watcher in watchers:
        watcher.stop()
