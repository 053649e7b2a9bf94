"""A real server with one method of each kind that trusts the test keys."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
import grpc
import pytest
from django.conf import settings

if not settings.configured:
    settings.configure(DEBUG=False, DATABASES={})
    django.setup()

from django.db import DataError, OperationalError

from contracts.travel.bookings.v1 import bookings_pb2, bookings_pb2_grpc
from shared.auth import testing as keys
from shared.errors import Conflict
from shared.rpc import Call, rpc, rpc_stream
from shared.rpc.testing import TestServer, running
from shared.text import Text


class NoSeats(Conflict):
    code = "TEST_NO_SEATS"
    text = Text(en="Only {seatsLeft} seats are left.", fr="Il ne reste que {seatsLeft} places.")


@dataclass
class Servicer(bookings_pb2_grpc.BookingsServiceServicer):
    seen: list[Call] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)

    @rpc(callers={"gateway"})
    def BatchGetBookings(
        self, request: bookings_pb2.BatchGetBookingsRequest, call: Call
    ) -> bookings_pb2.BatchGetBookingsResponse:
        self.seen.append(call)
        return bookings_pb2.BatchGetBookingsResponse(bookings=[bookings_pb2.Booking(id=one) for one in request.ids])

    @rpc(callers={"gateway", "notifications"}, traveller="none", deadline=0.4)
    def GetQuote(self, request: bookings_pb2.GetQuoteRequest, call: Call) -> bookings_pb2.GetQuoteResponse:
        self.seen.append(call)
        match request.id:
            case "refused":
                raise NoSeats(seatsLeft=2, field="adults")
            case "broken":
                raise ZeroDivisionError("the secret plan")
            case "busy":
                raise OperationalError("canceling statement due to lock timeout")
            case "unkept":
                raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
            case "slow":
                self.started.set()
                time.sleep(0.8)
            case "unhurried":
                self.started.set()
                time.sleep(0.2)
        return bookings_pb2.GetQuoteResponse(quote=bookings_pb2.Quote(id=request.id[:50]))

    @rpc_stream(callers={"gateway"}, traveller="optional")
    async def WatchBooking(
        self, request: bookings_pb2.WatchBookingRequest, call: Call
    ) -> AsyncIterator[bookings_pb2.WatchBookingResponse]:
        if request.reference == "unknown":
            raise NoSeats(seatsLeft=0)
        for sequence in range(1, 4):
            if request.reference == "for ever":
                await asyncio.sleep(30 * (sequence - 1))
            event = bookings_pb2.BookingEvent(sequence=sequence)
            if request.reference == "large":  # sending it lasts until the client reads
                event.actor = "x" * 2_000_000
                self.started.set()
            yield bookings_pb2.WatchBookingResponse(event=event)


@dataclass
class Served:
    """The running server, its servicer, and a plain stub that sends the metadata of a test."""

    server: TestServer
    servicer: Servicer
    stub: Any
    channel: grpc.Channel


@pytest.fixture(autouse=True)
def trusted_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "bookings_service.config.settings")
    for name in ("TRAVEL_JWKS_FILE", "SERVICE_PUBLIC_KEYS", "SERVICE_PRIVATE_KEYS", "SERVICE_PRIVATE_KEY"):
        monkeypatch.setenv(name, "")
    keys.install(tmp_path)
    yield


@pytest.fixture
def served() -> Iterator[Served]:
    servicer = Servicer()
    with running(lambda server: bookings_pb2_grpc.add_BookingsServiceServicer_to_server(servicer, server)) as server:
        with grpc.insecure_channel(server.address, options=[("grpc.max_send_message_length", -1)]) as channel:
            yield Served(server, servicer, bookings_pb2_grpc.BookingsServiceStub(channel), channel)
