"""A caller gets the refusal that the service raised, retries of reads only, and its context passed on."""

import socket
import time
from collections.abc import Iterator

import grpc
import pytest
from django.core.exceptions import ImproperlyConfigured

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from shared.auth import credentials
from shared.auth.testing import credential_of, mint_access_token
from shared.deadline import Deadline
from shared.errors import DeadlineExceeded, Forbidden, TooLarge, Unavailable
from shared.ids import uuid7
from shared.rpc import AioChannel, CallContext, Channel, aio_call, call
from shared.rpc.channel import _service_config
from shared.rpc.status import RpcFailed
from shared.telemetry import bind_request
from shared.tests.rpc.conftest import NoSeats, Served
from shared.text import Locale

QUOTE = bookings_pb2.GetQuoteRequest(id="quote")


@pytest.fixture(autouse=True)
def credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process is both sides here: it signs credentials for bookings as the gateway."""
    monkeypatch.setattr("shared.rpc.channel.service_credential", lambda audience: credential_of("gateway", audience))
    assert credentials.own_name() == "bookings"


@pytest.fixture
def channel(served: Served) -> Iterator[Channel]:
    channel = Channel("bookings", address=served.server.address)
    yield channel
    channel.close()


@pytest.fixture
def bookings(channel: Channel) -> BookingsServiceStub:
    return BookingsServiceStub(channel)


def test_a_refusal_reaches_the_caller_unchanged(bookings: BookingsServiceStub) -> None:
    with bind_request(locale=Locale.FR), pytest.raises(NoSeats) as raised:
        call(bookings.GetQuote, bookings_pb2.GetQuoteRequest(id="refused"))

    error = raised.value
    assert (error.code, error.params, error.field) == ("TEST_NO_SEATS", {"seatsLeft": 2}, "adults")
    assert error.localized(Locale.EN) == "Il ne reste que 2 places."
    assert isinstance(error.__cause__, grpc.RpcError)


def test_transport_failures_are_raised_as_refusals(bookings: BookingsServiceStub) -> None:
    with pytest.raises(Unavailable) as busy:
        call(bookings.GetQuote, bookings_pb2.GetQuoteRequest(id="busy"))
    with pytest.raises(DeadlineExceeded):
        call(bookings.GetQuote, bookings_pb2.GetQuoteRequest(id="slow"), deadline=Deadline.after(0.1))
    with pytest.raises(DeadlineExceeded):
        call(bookings.GetQuote, QUOTE, deadline=Deadline.after(-1))
    with pytest.raises(TooLarge):
        call(bookings.GetQuote, bookings_pb2.GetQuoteRequest(id="x" * 5_000_000))
    with pytest.raises(RpcFailed):
        call(bookings.GetQuote, bookings_pb2.GetQuoteRequest(id="broken"))

    assert busy.value.retry_after == 1


def test_a_call_to_a_stopped_service_fails_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        channel = Channel("bookings", address=f"127.0.0.1:{nobody.getsockname()[1]}")
        bookings = BookingsServiceStub(channel)
        started = time.monotonic()

        with pytest.raises(Unavailable):
            call(bookings.CreateQuote, bookings_pb2.CreateQuoteRequest())

        assert time.monotonic() - started < 2
        channel.close()


def test_the_context_is_passed_on(bookings: BookingsServiceStub, served: Served) -> None:
    person = uuid7()
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    with bind_request(request_id="request-7", traceparent=trace, locale=Locale.FR):
        call(
            bookings.BatchGetBookings,
            bookings_pb2.BatchGetBookingsRequest(ids=["a"]),
            traveller_token=mint_access_token(person),
        )

    (seen,) = served.servicer.seen
    assert (seen.signed_in_traveller.id, seen.request_id, seen.locale, seen.caller) == (
        person,
        "request-7",
        Locale.FR,
        "gateway",
    )


def test_only_reads_are_retried() -> None:
    channel = Channel("bookings")
    BookingsServiceStub(channel)

    config = _service_config(channel._methods)
    (policy,) = config["methodConfig"]
    retried = {name["method"] for name in policy["name"]}

    assert {"GetQuote", "BatchListBookings", "ListBookingEvents"} <= retried
    assert not retried & {"CreateQuote", "CreateBooking", "PayBooking", "CancelBooking", "SetCapacity", "WatchBooking"}
    assert config["retryThrottling"] == {"maxTokens": 10, "tokenRatio": 0.1}


def test_an_address_that_is_not_configured_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOKINGS_GRPC", raising=False)

    with pytest.raises(ImproperlyConfigured, match="BOOKINGS_GRPC"):
        call(BookingsServiceStub(Channel("bookings")).GetQuote, QUOTE)


def test_a_forked_process_opens_its_own_connection(
    channel: Channel, bookings: BookingsServiceStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert channel._opened is None
    call(bookings.GetQuote, QUOTE)
    first = channel._connection()
    assert channel._connection() is first

    with monkeypatch.context() as forked:
        forked.setattr("shared.rpc.channel.os.getpid", lambda: -1)
        call(bookings.GetQuote, QUOTE)
        assert channel._connection() is not first
        channel.close()

    first.channel.close()


def test_a_streaming_method_is_refused(bookings: BookingsServiceStub) -> None:
    with pytest.raises(NotImplementedError, match="WatchBooking"):
        bookings.WatchBooking(bookings_pb2.WatchBookingRequest())


async def test_the_asyncio_client_does_the_same(served: Served) -> None:
    channel = AioChannel("bookings", address=served.server.address)
    get_quote = BookingsServiceStub(channel).GetQuote
    context = CallContext(request_id="request-8", locale=Locale.FR)
    try:
        answer = await aio_call(get_quote, QUOTE, context=context)
        with pytest.raises(NoSeats, match="Il ne reste que 2 places"):
            await aio_call(get_quote, bookings_pb2.GetQuoteRequest(id="refused"), context=context)
        late = CallContext(deadline=Deadline.after(0.1))
        with pytest.raises(DeadlineExceeded):
            await aio_call(get_quote, bookings_pb2.GetQuoteRequest(id="slow"), context=late)
    finally:
        await channel.close()

    assert answer.quote.id == "quote"
    assert served.servicer.seen[0].request_id == "request-8"


def test_a_caller_that_is_not_listed_is_forbidden(
    bookings: BookingsServiceStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.rpc.channel.service_credential", lambda audience: credential_of("users", audience))

    with pytest.raises(Forbidden):
        call(bookings.GetQuote, QUOTE)
