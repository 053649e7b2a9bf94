"""Moved departures over gRPC and REST: the change in the booking, its acceptance, and how many bookings are affected."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
from django.test import Client as RestClient

from bookings_service.tests.buyer import Buyer, new_traveller
from bookings_service.tests.contract.test_rest import post
from bookings_service.tests.contract.test_rpc import Client, channel, client, refusal
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.move import REASON, move
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from shared.auth import Traveller
from shared.ids import uuid7
from shared.rpc.mapping import from_ts

__all__ = ["channel", "client"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox", "users")]

DAY = timedelta(days=1)
Clients = Callable[[UUID], Client]


def test_every_read_of_a_booking_has_the_change(client: Clients, buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish()
    booking = buyer.book(departure)
    call = client(buyer.who.id)
    assert not call("GetBooking", reference=booking.reference).booking.HasField("change")

    move(destinations, departure, DAY)

    read = call("GetBooking", reference=booking.reference).booking
    assert from_ts(read.starts_at) == booking.starts_at + DAY
    assert from_ts(read.change.previous_starts_at) == booking.starts_at
    assert from_ts(read.change.previous_ends_at) == booking.ends_at
    assert (read.change.reason, read.change.HasField("accepted_at")) == (REASON, False)
    assert read.change.free_cancellation_until.seconds == read.change.at.seconds + 14 * 24 * 3600
    assert call("BatchGetBookings", ids=[read.id]).bookings == [read]
    (page,) = call("BatchListBookings", traveller_ids=[str(buyer.who.id)]).pages
    assert page.edges[0].node == read
    followed = call("ListBookingEvents", reference=booking.reference, after_sequence=1)
    assert followed.booking == read
    assert [event.type for event in followed.events] == ["booking.departure_changed"]
    watched = next(iter(call("WatchBooking", reference=booking.reference, after_sequence=1, timeout=10)))
    assert (watched.booking, watched.event.type) == (read, "booking.departure_changed")


def test_a_change_is_accepted_over_grpc(client: Clients, buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish()
    booking = buyer.book(departure)
    call, stranger = client(buyer.who.id), client(uuid7())

    conflict = refusal(lambda: call("AcceptChange", reference=booking.reference))
    assert conflict == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_CHANGED", {})
    move(destinations, departure, DAY)
    for unknown in (booking.reference, "ABCDEFGH", "", "nonsense"):
        refused = refusal(lambda r=unknown: stranger("AcceptChange", reference=r))
        assert refused == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", {})

    accepted = call("AcceptChange", reference=booking.reference).booking
    assert accepted.change.HasField("accepted_at")
    assert call("AcceptChange", reference=booking.reference).booking == accepted


def test_destinations_counts_the_bookings_of_departures(
    channel: grpc.Channel, client: Clients, buyer: Buyer, destinations: Destinations
) -> None:
    """One row for each asked id, in the order of the request. Other callers are refused."""
    departure, empty = destinations.publish(), uuid7()
    buyer.book(departure, adults=3)
    ids = [str(empty), str(departure)]

    rows = Client(channel, uuid7(), caller="destinations")("BatchCountBookings", departure_ids=ids).departures

    assert list(rows) == [
        pb.DepartureBookings(departure_id=str(empty)),
        pb.DepartureBookings(departure_id=str(departure), bookings=1, passengers=3),
    ]
    refused = refusal(lambda: client(buyer.who.id)("BatchCountBookings", departure_ids=ids))
    assert refused[0] is grpc.StatusCode.PERMISSION_DENIED
    malformed = refusal(
        lambda: Client(channel, uuid7(), caller="destinations")("BatchCountBookings", departure_ids=["x"])
    )
    assert malformed[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "BAD_USER_INPUT")


def test_a_moved_departure_over_rest(
    as_traveller: Callable[[Traveller], RestClient], buyer: Buyer, destinations: Destinations
) -> None:
    """The booking shows the change. It is accepted repeatedly, and only by its traveller."""
    departure = destinations.publish()
    booking = buyer.book(departure)
    own, stranger = as_traveller(buyer.who), as_traveller(new_traveller())
    path = f"/bookings/{booking.reference}/accept-change/"

    def code(response: Any) -> tuple[int, str]:
        return response.status_code, response.json().get("code", "")

    assert own.get(f"/api/v1/bookings/{booking.reference}/").json()["change"] is None
    assert code(post(own, path)) == (409, "NOT_CHANGED")
    move(destinations, departure, DAY)

    change = own.get(f"/api/v1/bookings/{booking.reference}/").json()["change"]
    assert set(change) == {
        "at", "reason", "previous_starts_at", "previous_ends_at", "free_cancellation_until", "accepted_at"
    }  # fmt: skip
    assert (change["reason"], change["accepted_at"]) == (REASON, None)
    assert code(post(stranger, path)) == (404, "NOT_FOUND")
    accepted = post(own, path)
    assert accepted.status_code == 200
    assert accepted.json()["change"]["accepted_at"] is not None
    assert post(own, path).json() == accepted.json()
    assert code(own.get(f"/api/v1{path}")) == (405, "METHOD_NOT_ALLOWED")
