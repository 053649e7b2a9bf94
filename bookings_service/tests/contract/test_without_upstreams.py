"""What REST and gRPC answer while users_service and destinations_service are unavailable."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from django.test import Client as RestClient

from bookings_service.bookings.models import Booking, Quote
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.contract.test_rest import PARTY, post
from bookings_service.tests.contract.test_rpc import Client, add, passengers, refusal
from bookings_service.tests.doubles import Destinations, Users
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from shared.auth import Traveller
from shared.rpc.testing import running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]


def test_rest_serves_existing_bookings_and_refuses_new_ones_without_upstreams(
    as_traveller: Callable[[Traveller], RestClient], buyer: Buyer, users: Users, destinations: Destinations
) -> None:
    client, departure = as_traveller(buyer.who), destinations.publish()
    quote = post(client, "/quotes/", {"departure_id": str(departure), "adults": 2}).json()
    key, body = str(uuid4()), {"quote_id": quote["id"], "passengers": PARTY}
    made, spare = post(client, "/bookings/", body, key), buyer.quote(departure)
    users.unavailable = destinations.unavailable = True

    refused = [
        post(client, "/quotes/", {"departure_id": str(departure), "adults": 2}),
        post(client, "/bookings/", {"quote_id": str(spare.id), "passengers": PARTY}, str(uuid4())),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(503, "UPSTREAM_UNAVAILABLE")] * 2
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert (Booking.objects.count(), Quote.objects.count()) == (1, 2)

    assert post(client, "/bookings/", body, key).json() == made.json()
    reference = made.json()["reference"]
    paid = post(client, f"/bookings/{reference}/payments/", {"payment_method": "pm_ok"}, str(uuid4()))
    assert (paid.status_code, paid.json()["booking"]["status"]) == (200, "CONFIRMED")
    assert client.get(f"/api/v1/bookings/{reference}/").json()["status"] == "CONFIRMED"
    history = client.get(f"/api/v1/bookings/{reference}/history/").json()
    assert [entry["type"] for entry in history] == ["booking.created", "payment.succeeded", "booking.confirmed"]
    cancellation_quote = post(client, f"/bookings/{reference}/cancellation-quotes/").json()
    assert post(client, f"/cancellation-quotes/{cancellation_quote['id']}/confirm/").json()["status"] == "CANCELLED"


def test_grpc_serves_existing_bookings_and_refuses_new_ones_without_upstreams(
    buyer: Buyer, users: Users, destinations: Destinations
) -> None:
    departure = destinations.publish()
    quote, spare = buyer.quote(departure, adults=1), buyer.quote(departure, adults=1)
    command: dict[str, Any] = {"quote_id": str(quote.id), "passengers": passengers(1), "idempotency_key": "once"}

    with running(add) as server, grpc.insecure_channel(server.address) as channel:
        ask = Client(channel, buyer.who.id)
        made = ask("CreateBooking", **command).booking
        users.unavailable = destinations.unavailable = True

        unavailable = (grpc.StatusCode.UNAVAILABLE, "UPSTREAM_UNAVAILABLE")
        assert refusal(lambda: ask("CreateQuote", departure_id=str(departure), adults=1))[:2] == unavailable
        another = {**command, "quote_id": str(spare.id), "idempotency_key": "another"}
        assert refusal(lambda: ask("CreateBooking", **another))[:2] == unavailable
        assert (Booking.objects.count(), Quote.objects.count()) == (1, 2)

        assert ask("CreateBooking", **command).booking == made
        paid = ask("PayBooking", reference=made.reference, payment_method="pm_ok", idempotency_key="pay").booking
        assert paid.status == pb.BOOKING_STATUS_CONFIRMED
        assert ask("GetBooking", reference=made.reference).booking == paid
        assert len(ask("ListBookingEvents", reference=made.reference).events) == 3
        cancellation_quote = ask("QuoteCancellation", reference=made.reference).cancellation_quote
        cancelled = ask("CancelBooking", cancellation_quote_id=cancellation_quote.id).booking
        assert cancelled.status == pb.BOOKING_STATUS_CANCELLED
