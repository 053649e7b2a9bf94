"""Who may call which method, until when, and which refusals are answered: over real sockets, with real credentials."""

import asyncio
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from django.test import override_settings
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from contracts.travel.bookings.v1 import bookings_pb2, bookings_pb2_grpc
from shared.auth.open_connections import open_connections
from shared.auth.testing import credential_of, mint_access_token
from shared.errors import Unavailable
from shared.ids import uuid7
from shared.rpc.server import assert_served
from shared.rpc.testing import running
from shared.rpc.workers import Workers
from shared.tests.rpc.conftest import Served, Servicer

QUOTE = bookings_pb2.GetQuoteRequest(id="quote")


def metadata(caller: str = "gateway", audience: str = "bookings", **more: str) -> list[tuple[str, str]]:
    return [
        ("x-service-credential", credential_of(caller, audience)),
        *((name.replace("_", "-"), value) for name, value in more.items()),
    ]


def bearer(**claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {mint_access_token(**claims)}"}


def refused(call: Any, *arguments: Any, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as raised:
        call(*arguments, **options)
    return raised.value


def test_a_call_without_a_valid_credential_is_unauthenticated(served: Served) -> None:
    """Seen failing with Guard.admit's credential check taken out."""
    old = credential_of("gateway", "bookings", now=time.time() - 3_600)
    attempts = [[], [("x-service-credential", "x")], [("x-service-credential", old)], metadata(audience="users")]

    codes = [refused(served.stub.GetQuote, QUOTE, metadata=one).code() for one in attempts]

    assert codes == [grpc.StatusCode.UNAUTHENTICATED] * 4
    assert served.servicer.seen == []


def test_a_caller_that_is_not_listed_is_denied(served: Served) -> None:
    """Seen failing with the caller table's check taken out."""
    error = refused(served.stub.GetQuote, QUOTE, metadata=metadata("users"))

    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert served.stub.GetQuote(QUOTE, metadata=metadata("notifications")).quote.id == "quote"


def test_a_value_that_the_database_cannot_store_is_the_callers_fault(served: Served) -> None:
    """NUL in a text is refused by PostgreSQL. Seen failing (INTERNAL) without refusal_for's DataError."""
    error = refused(served.stub.GetQuote, bookings_pb2.GetQuoteRequest(id="unkept"), metadata=metadata())

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "PostgreSQL" not in (error.details() or "")


def test_a_method_for_travellers_requires_a_valid_token(served: Served) -> None:
    request = bookings_pb2.BatchGetBookingsRequest(ids=["a"])
    person = uuid7()
    for headers in (metadata(), metadata(authorization="Bearer x"), metadata(**bearer(aud="other"))):
        assert refused(served.stub.BatchGetBookings, request, metadata=headers).code() is (
            grpc.StatusCode.UNAUTHENTICATED
        )

    served.stub.BatchGetBookings(request, metadata=metadata(**bearer(user_id=person)))

    (call,) = served.servicer.seen
    assert call.signed_in_traveller.id == person
    assert call.caller == "gateway"


def test_a_bad_token_is_refused_even_if_it_is_optional(served: Served) -> None:
    watch = served.stub.WatchBooking
    request = bookings_pb2.WatchBookingRequest(reference="X")

    assert [one.event.sequence for one in watch(request, metadata=metadata())] == [1, 2, 3]
    assert refused(lambda: list(watch(request, metadata=metadata(authorization="Bearer x")))).code() is (
        grpc.StatusCode.UNAUTHENTICATED
    )


def test_a_call_without_deadline_gets_the_servers_own(served: Served) -> None:
    """Seen failing (no end) with the time limit of Workers.run taken out."""
    started = time.monotonic()

    error = refused(served.stub.GetQuote, bookings_pb2.GetQuoteRequest(id="slow"), metadata=metadata())

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 0.75
    assert 0 < served.servicer.seen[0].deadline.at - started <= 0.5


def test_the_callers_deadline_counts_if_it_is_sooner(served: Served) -> None:
    served.stub.GetQuote(QUOTE, metadata=metadata(), timeout=0.2)

    assert served.servicer.seen[0].deadline.remaining() < 0.2


def test_a_refusal_carries_code_params_field_and_message(served: Served) -> None:
    error = refused(served.stub.GetQuote, bookings_pb2.GetQuoteRequest(id="refused"), metadata=metadata(x_locale="FR"))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    status = rpc_status.from_call(error)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    status.details[0].Unpack(info)
    status.details[1].Unpack(bad)
    assert (info.reason, info.domain, json.loads(info.metadata["seatsLeft"])) == ("TEST_NO_SEATS", "travel", 2)
    assert bad.field_violations[0].field == "adults"
    assert status.message == "Il ne reste que 2 places."


def raw(served: Served, method: str) -> Any:
    """Return a callable that sends bytes, as a client without our generated code could."""
    return served.channel.unary_unary(method, request_serializer=None, response_deserializer=None)


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff", b"\x0a\x02\xff\xfe", b"{}"])
def test_bytes_that_are_not_protobuf_are_an_invalid_argument(served: Served, data: bytes) -> None:
    """Seen failing (INTERNAL, "Exception deserializing request!") without DecodingServer."""
    service = "/travel.bookings.v1.BookingsService/"
    stream = served.channel.unary_stream(service + "WatchBooking", None, None)
    calls = [
        lambda: raw(served, service + "GetQuote")(data, metadata=metadata()),
        lambda: list(stream(data, metadata=metadata())),
        lambda: raw(served, "/grpc.health.v1.Health/Check")(data),
        lambda: list(served.channel.unary_stream("/grpc.health.v1.Health/Watch", None, None)(data)),
    ]

    errors = [refused(call) for call in calls]

    assert [error.code() for error in errors] == [grpc.StatusCode.INVALID_ARGUMENT] * 4
    for error in errors:
        assert not {"Quote", "travel.", "Exception", "Error", "pb2"} & set(error.details().split())
        assert "xception" not in error.details()
    assert served.servicer.seen == []
    assert served.stub.GetQuote(QUOTE, metadata=metadata()).quote.id == "quote"


def test_who_calls_is_checked_before_the_bytes(served: Served) -> None:
    error = refused(lambda: raw(served, "/travel.bookings.v1.BookingsService/GetQuote")(b"\xff"))

    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


def test_an_unexpected_failure_shows_no_details(served: Served) -> None:
    error = refused(served.stub.GetQuote, bookings_pb2.GetQuoteRequest(id="broken"), metadata=metadata())

    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "Internal error")
    assert "secret" not in str(error.trailing_metadata())


def test_a_database_error_is_unavailable_with_a_retry_after_one_second(served: Served) -> None:
    error = refused(served.stub.GetQuote, bookings_pb2.GetQuoteRequest(id="busy"), metadata=metadata())

    retry = error_details_pb2.RetryInfo()
    rpc_status.from_call(error).details[1].Unpack(retry)
    assert (error.code(), retry.retry_delay.seconds) == (grpc.StatusCode.UNAVAILABLE, 1)


def test_a_stream_can_be_refused_before_its_first_message(served: Served) -> None:
    request = bookings_pb2.WatchBookingRequest(reference="unknown")

    error = refused(lambda: list(served.stub.WatchBooking(request, metadata=metadata())))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_a_request_that_is_too_large_is_refused_and_the_next_call_is_served(served: Served) -> None:
    """Seen failing with MAX_BATCH's check and with the message limit taken out."""
    token = bearer()
    big = bookings_pb2.GetQuoteRequest(id="x" * 5_000_000)
    many = bookings_pb2.BatchGetBookingsRequest(ids=["x"] * 1_001)

    codes = [
        refused(served.stub.GetQuote, big, metadata=metadata()).code(),
        refused(served.stub.BatchGetBookings, many, metadata=metadata(**token)).code(),
    ]

    assert codes == [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT]
    del many.ids[0]
    assert len(served.stub.BatchGetBookings(many, metadata=metadata(**token)).bookings) == 1_000


def test_a_method_of_health_that_is_not_served_names_no_class(served: Served) -> None:
    """Seen failing ("Unexpected <class 'NotImplementedError'>…", and a traceback in the log) without Health.List."""
    error = refused(lambda: raw(served, "/grpc.health.v1.Health/List")(b""))

    assert (error.code(), error.details()) == (grpc.StatusCode.UNIMPLEMENTED, "")


def test_health_is_open_and_follows_the_probe() -> None:
    answers = [True]
    name = "travel.bookings.v1.BookingsService"

    def add(server: Any) -> None:
        bookings_pb2_grpc.add_BookingsServiceServicer_to_server(Servicer(), server)

    with running(add, probe=lambda: answers[0]) as server, grpc.insecure_channel(server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        assert stub.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
        answers[0] = False
        time.sleep(1.1)
        for service in ("", name):
            assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == (
                health_pb2.HealthCheckResponse.NOT_SERVING
            )


@pytest.mark.parametrize("debug", [False, True])
def test_reflection_is_only_for_development(debug: bool) -> None:
    with override_settings(DEBUG=debug):
        with running(lambda _: None) as server, grpc.insecure_channel(server.address) as channel:
            ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
            request = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
            if debug:
                assert next(iter(ask(request))).list_services_response.service
            else:
                assert refused(lambda: next(iter(ask(request)))).code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_port_that_is_taken_cannot_be_shared() -> None:
    """Seen failing (two servers on one port) with so_reuseport left on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(RuntimeError), running(lambda _: None, port=other.getsockname()[1]):
            pass
    with running(lambda _: None) as server:
        with pytest.raises(RuntimeError), running(lambda _: None, port=server.port):
            pass


def test_a_stopping_server_lets_a_running_call_finish() -> None:
    """Seen failing (CANCELLED) with a grace of 0."""
    servicer = Servicer()
    with ThreadPoolExecutor(1) as pool:
        with running(lambda s: bookings_pb2_grpc.add_BookingsServiceServicer_to_server(servicer, s)) as server:
            channel = grpc.insecure_channel(server.address)
            request = bookings_pb2.GetQuoteRequest(id="unhurried")
            under_way = pool.submit(
                bookings_pb2_grpc.BookingsServiceStub(channel).GetQuote, request, metadata=metadata()
            )
            assert servicer.started.wait(5)
        assert under_way.result(5).quote.id == "unhurried"
        channel.close()


def test_a_stopping_server_ends_its_streams_at_once() -> None:
    """Seen failing (CANCELLED after the whole grace of 5 s) without open_streams.end."""
    with running(lambda s: bookings_pb2_grpc.add_BookingsServiceServicer_to_server(Servicer(), s)) as server:
        channel = grpc.insecure_channel(server.address)
        request = bookings_pb2.WatchBookingRequest(reference="for ever")
        stream = bookings_pb2_grpc.BookingsServiceStub(channel).WatchBooking(request, metadata=metadata())
        assert next(stream).event.sequence == 1
        started = time.monotonic()
    assert time.monotonic() - started < 2
    assert refused(next, stream).code() is grpc.StatusCode.UNAVAILABLE
    channel.close()


def test_a_stream_ends_with_the_session_of_its_traveller(served: Served) -> None:
    """Seen failing (the stream goes on) without _OpenStreams.until_revoked."""
    session, request = uuid7(), bookings_pb2.WatchBookingRequest(reference="for ever")
    mine, other = (
        served.stub.WatchBooking(request, metadata=metadata(**bearer(session_id=session_id)), timeout=20)
        for session_id in (session, uuid7())
    )
    assert [next(mine).event.sequence, next(other).event.sequence] == [1, 1]

    open_connections.end_session(session)

    assert refused(next, mine).code() is grpc.StatusCode.UNAUTHENTICATED
    assert other.is_active()
    other.cancel()


def test_a_stream_ends_after_the_message_that_its_client_has_not_read_yet(served: Served) -> None:
    """The client gets the status. Seen failing (DEADLINE_EXCEEDED) without Stream.sending."""
    session = uuid7()
    call = metadata(**bearer(session_id=session))
    stream = served.stub.WatchBooking(bookings_pb2.WatchBookingRequest(reference="large"), metadata=call, timeout=20)
    assert served.servicer.started.wait(5)

    open_connections.end_session(session)

    assert refused(lambda: list(stream)).code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_number_of_waiting_calls_is_bounded() -> None:
    """Seen failing with the count in Workers.run taken out."""
    workers = Workers(threads=1, waiting=2)
    results = await asyncio.gather(
        *(workers.run(lambda: time.sleep(0.05), timeout=5) for _ in range(6)), return_exceptions=True
    )

    assert [type(one) for one in results].count(Unavailable) == 3
    await asyncio.sleep(0.05)
    assert await workers.run(lambda: 1, timeout=5) == 1


async def test_one_owner_takes_at_most_half_of_the_places() -> None:
    """Seen failing (no refusal) without the share in Workers.run."""
    workers = Workers(threads=2, waiting=2, owner_of=lambda request: request.reference)
    owners = [bookings_pb2.GetBookingRequest(reference=name) for name in ("a", "a", "a", "b", "b", "b", "c")]

    results = await asyncio.gather(
        *(workers.run(lambda: time.sleep(0.05), timeout=5, request=owner) for owner in owners), return_exceptions=True
    )

    assert [type(one) for one in results] == [type(None)] * 2 + [Unavailable] + [type(None)] * 2 + [Unavailable] * 2
    await asyncio.sleep(0.05)
    assert await workers.run(lambda: 1, timeout=5, request=owners[0]) == 1


def test_a_method_without_a_guard_is_not_served() -> None:
    class Careless(bookings_pb2_grpc.BookingsServiceServicer):
        def GetQuote(self, request: Any, context: Any) -> Any:
            return bookings_pb2.GetQuoteResponse()

    with pytest.raises(TypeError, match="GetQuote is served without @rpc"):
        assert_served(Careless().GetQuote)
    assert_served(Careless().CreateQuote)  # not implemented: the generated base answers UNIMPLEMENTED
    with pytest.raises(TypeError):
        with running(lambda s: bookings_pb2_grpc.add_BookingsServiceServicer_to_server(Careless(), s)):
            pass
