"""Bookings over REST: from quote to cancellation, and the refusals."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.test import Client

from bookings_service.bookings.models import Booking, Quote
from bookings_service.payments.models import Payment
from bookings_service.tests.buyer import Buyer, new_traveller
from bookings_service.tests.doubles import Destinations
from shared.auth import Traveller
from shared.errors import InFlight
from shared.idempotency.requests import IdempotentRequest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox", "users")]

Clients = Callable[[Traveller], Client]
PARTY = [{"first_name": "Ann", "last_name": "Lindqvist", "kind": "ADULT"}] * 2


def post(client: Client, path: str, body: Any = None, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(
        f"/api/v1{path}", body if body is not None else {}, content_type="application/json", headers=headers
    )


def test_a_booking_from_quote_to_cancellation(as_traveller: Clients, destinations: Destinations) -> None:
    client = as_traveller(new_traveller())
    departure = destinations.publish(adult=12_345)

    quote = post(client, "/quotes/", {"departure_id": str(departure), "adults": 2})
    assert (quote.status_code, quote.json()["total"]) == (201, {"amount": "246.90", "currency": "EUR"})
    assert client.get(f"/api/v1/quotes/{quote.json()['id']}/").json() == quote.json()
    body, key = {"quote_id": quote.json()["id"], "passengers": PARTY}, str(uuid4())
    made = post(client, "/bookings/", body, key)
    assert (made.status_code, made.json()["status"]) == (201, "PENDING")
    reference = made.json()["reference"]
    paid = post(client, f"/bookings/{reference}/payments/", {"payment_method": "pm_ok"}, str(uuid4()))
    assert (paid.status_code, paid.json()["payment"]["status"], paid.json()["booking"]["status"]) == (
        200,
        "SUCCEEDED",
        "CONFIRMED",
    )
    assert client.get(f"/api/v1/bookings/{reference}/").json()["paid"] == {"amount": "246.90", "currency": "EUR"}
    history = client.get(f"/api/v1/bookings/{reference}/history/?after_sequence=1").json()
    assert [entry["type"] for entry in history] == ["payment.succeeded", "booking.confirmed"]
    offer = post(client, f"/bookings/{reference}/cancellation-quotes/")
    assert (offer.status_code, offer.json()["refund"]["amount"]) == (201, "246.90")
    after = post(client, f"/cancellation-quotes/{offer.json()['id']}/confirm/")
    assert (after.status_code, after.json()["status"]) == (200, "CANCELLED")
    assert post(client, f"/cancellation-quotes/{offer.json()['id']}/confirm/").json() == after.json()


def test_titles_are_in_the_requested_language(as_traveller: Clients, buyer: Buyer, destinations: Destinations) -> None:
    reference = buyer.book(destinations.publish()).reference

    shown = as_traveller(buyer.who).get(f"/api/v1/bookings/{reference}/", headers={"Accept-Language": "fr"}).json()

    assert shown["title"] == "Kyoto en automne"


@pytest.mark.parametrize("extra", [{"total": "1.00"}, {"unit_price": 1}, {"currency": "USD"}, {"status": "CONFIRMED"}])
def test_a_price_that_is_sent_is_refused(
    as_traveller: Clients, buyer: Buyer, destinations: Destinations, extra: dict[str, Any]
) -> None:
    client = as_traveller(buyer.who)
    quote = buyer.quote(destinations.publish())
    booked = buyer.book(destinations.publish())

    refused = [
        post(client, "/bookings/", {"quote_id": str(quote.id), "passengers": PARTY, **extra}, str(uuid4())),
        post(client, f"/bookings/{booked.reference}/payments/", {"payment_method": "pm_ok", **extra}, str(uuid4())),
        post(client, "/quotes/", {"departure_id": str(quote.departure_id), "adults": 1, **extra}),
    ]

    assert [answer.status_code for answer in refused] == [400, 400, 400]
    assert all(next(iter(extra)) in answer.content.decode() for answer in refused)
    assert Booking.objects.count() == 1
    assert Payment.objects.count() == 0


@pytest.mark.parametrize(
    ("party", "code"),
    [
        ({"adults": 0}, "INVALID_PASSENGERS"), ({"adults": -1}, "INVALID_PASSENGERS"),
        ({"adults": 2147483647}, "INVALID_PASSENGERS"), ({"adults": 1, "children": -1}, "INVALID_PASSENGERS"),
        ({"adults": 0, "children": 2}, "INVALID_PASSENGERS"), ({"adults": 2147483648}, "BAD_USER_INPUT"),
        ({"adults": "two"}, "BAD_USER_INPUT"), ({"adults": 1.5}, "BAD_USER_INPUT"), ({"adults": None}, "BAD_USER_INPUT"),
    ],
)  # fmt: skip
def test_invalid_parties(as_traveller: Clients, destinations: Destinations, party: dict[str, Any], code: str) -> None:
    answer = post(as_traveller(new_traveller()), "/quotes/", {"departure_id": str(destinations.publish()), **party})

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert code in answer.content.decode()
    assert Quote.objects.count() == 0


def test_idempotency_keys_over_http(as_traveller: Clients, buyer: Buyer, destinations: Destinations) -> None:
    client, key = as_traveller(buyer.who), str(uuid4())
    departure = destinations.publish(capacity=20)
    bodies = [{"quote_id": str(buyer.quote(departure).id), "passengers": PARTY} for _ in range(2)]

    first, again, other = post(client, "/bookings/", bodies[0], key), post(client, "/bookings/", bodies[0], key), None
    other = post(client, "/bookings/", bodies[1], key)
    with patch.object(IdempotentRequest, "_lock", side_effect=InFlight(retry_after=1)):
        busy = post(client, "/bookings/", bodies[1], str(uuid4()))
    missing = post(client, "/bookings/", bodies[1])

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (
        409,
        "IDEMPOTENCY_KEY_IN_FLIGHT",
        "1",
    )
    assert missing.status_code == 400
    assert Booking.objects.count() == 1


def test_bookings_of_others_are_answered_as_unknown(
    as_traveller: Clients, buyer: Buyer, destinations: Destinations
) -> None:
    quote = buyer.quote(destinations.publish())
    booking = buyer.book_quote(quote)
    other = as_traveller(new_traveller())

    for foreign, unknown in (
        (f"/api/v1/bookings/{booking.reference}/", "/api/v1/bookings/ZZZZZZZZ/"),
        (f"/api/v1/bookings/{booking.reference}/history/", "/api/v1/bookings/ZZZZZZZZ/history/"),
        (f"/api/v1/quotes/{quote.id}/", f"/api/v1/quotes/{uuid4()}/"),
    ):
        answers = [other.get(foreign), other.get(unknown)]
        bodies = [{k: v for k, v in answer.json().items() if k not in ("instance", "request_id")} for answer in answers]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert bodies[0] == bodies[1]
    assert other.get("/api/v1/bookings/").json()["results"] == []


@pytest.mark.parametrize("reference", ["%00", "A%00B", "%ED%A0%80", "x" * 3_000, "'%20OR%201=1%20--", "%F0%9F%92%A9"])
def test_a_malformed_reference_is_answered_as_unknown(as_traveller: Clients, reference: str) -> None:
    client = as_traveller(new_traveller())

    answers = [
        client.get(f"/api/v1/bookings/{reference}/"),
        client.get(f"/api/v1/bookings/{reference}/history/"),
        post(client, f"/bookings/{reference}/cancellation-quotes/"),
        post(client, f"/bookings/{reference}/payments/", {"payment_method": "pm_ok"}, "key"),
    ]

    assert {answer.status_code for answer in answers} == {404}


def test_nothing_is_shown_without_a_token(buyer: Buyer, destinations: Destinations) -> None:
    reference = buyer.book(destinations.publish()).reference

    for answer in (
        Client().get(f"/api/v1/bookings/{reference}/"),
        Client().get("/api/v1/bookings/"),
        post(Client(), "/quotes/", {}),
    ):
        assert answer.status_code == 401


def test_pages(as_traveller: Clients, buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(capacity=20)
    made = [buyer.book(departure, adults=1).reference for _ in range(5)]
    client = as_traveller(buyer.who)

    first = client.get("/api/v1/bookings/?limit=3").json()
    second = client.get(first["next"]).json()

    assert [row["reference"] for row in first["results"] + second["results"]] == made[::-1]
    assert (set(first), second["next"]) == ({"next", "previous", "results"}, None)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=100000", "limit=x", "cursor=garbage", "ordering=password", "status=LOST"]
)
def test_bad_queries_name_the_parameter(as_traveller: Clients, query: str) -> None:
    answer = as_traveller(new_traveller()).get(f"/api/v1/bookings/?{query}")

    assert answer.status_code == 400
    assert query.split("=")[0] in answer.content.decode()


@pytest.mark.parametrize("body", ['{"quote_id": ', "[" * 100_000, "[]", '"x"', '{"adults": NaN}'])
def test_broken_bodies(as_traveller: Clients, body: str) -> None:
    client = as_traveller(new_traveller())

    answer = client.post("/api/v1/quotes/", body, content_type="application/json")

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_every_operation_in_openapi_except_the_webhook_needs_a_token(client: Client) -> None:
    schema = client.get("/api/schema/?format=json").json()

    unguarded = {
        path
        for path, operations in schema["paths"].items()
        for operation in operations.values()
        if isinstance(operation, dict) and not any(operation.get("security") or [])
    }
    assert unguarded == {"/api/v1/payments/webhooks/{provider}/"}


def test_health(client: Client) -> None:
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 200
