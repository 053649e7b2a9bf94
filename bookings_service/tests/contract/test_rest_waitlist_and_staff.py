"""The waiting list, renaming and the actions of staff over REST, and the refusals."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from bookings_service.bookings.models import WaitlistEntry
from bookings_service.payments.models import Refund
from bookings_service.tests.buyer import Buyer, new_traveller
from bookings_service.tests.contract.test_rest import post
from bookings_service.tests.doubles import Destinations
from shared.auth import Traveller
from shared.auth.testing import mint_access_token
from shared.ids import uuid7

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox", "users")]

Clients = Callable[[Traveller], Client]


def staff(*roles: str, person_id: UUID | None = None) -> Client:
    """Return a client of a member of staff with these roles."""
    person_id = person_id or uuid7()
    return Client(headers={"authorization": f"Bearer {mint_access_token(person_id, roles=roles)}"})


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def test_a_waiting_list_entry_from_joining_to_the_quote(
    as_traveller: Clients, buyer: Buyer, destinations: Destinations
) -> None:
    departure = destinations.publish(capacity=2)
    booking = buyer.book(departure)
    client = as_traveller(new_traveller())

    joined = post(client, "/waitlist/", {"departure_id": str(departure), "seats": 2})
    assert (joined.status_code, joined.json()["status"], joined.json()["position"]) == (200, "WAITING", 1)
    assert post(client, "/waitlist/", {"departure_id": str(departure), "seats": 2}).json() == joined.json()
    buyer.cancel(booking)
    offered = client.get("/api/v1/waitlist/").json()[0]
    assert (offered["status"], offered["position"]) == ("OFFERED", None)
    body = {"departure_id": str(departure), "adults": 2, "waitlist_entry_id": offered["id"]}
    quoted = post(client, "/quotes/", body)
    assert quoted.status_code == 201
    assert client.get("/api/v1/waitlist/").json()[0]["status"] == "TAKEN"


def test_leaving_the_waiting_list(as_traveller: Clients, buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(capacity=1)
    buyer.book(departure, adults=1)
    client, stranger = as_traveller(new_traveller()), as_traveller(new_traveller())
    entry = post(client, "/waitlist/", {"departure_id": str(departure), "seats": 2}).json()["id"]

    assert code(stranger.delete(f"/api/v1/waitlist/{entry}/")) == (404, "NOT_FOUND")
    assert client.delete(f"/api/v1/waitlist/{entry}/").status_code == 204
    assert client.delete(f"/api/v1/waitlist/{entry}/").status_code == 204
    assert WaitlistEntry.objects.get().status == "LEFT"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"seats": 0}, (400, "INVALID_PASSENGERS")),
        ({"seats": 2**31}, (400, "BAD_USER_INPUT")),
        ({"seats": 2, "position": 1}, (400, "UNKNOWN_FIELD")),
        ({"seats": 2, "departure_id": str(uuid7())}, (404, "NOT_FOUND")),
        ({"seats": 2, "departure_id": "x"}, (400, "BAD_USER_INPUT")),
        ({"seats": 1}, (409, "SEATS_AVAILABLE")),
    ],
)
def test_joining_is_refused(
    as_traveller: Clients, destinations: Destinations, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    departure = destinations.publish(capacity=1)

    refused = post(as_traveller(new_traveller()), "/waitlist/", {"departure_id": str(departure), **body})

    assert code(refused) == expected
    assert not WaitlistEntry.objects.exists()


def test_a_name_is_corrected(as_traveller: Clients, buyer: Buyer, destinations: Destinations) -> None:
    booking, client = buyer.book(destinations.publish()), as_traveller(buyer.who)
    path = f"/api/v1/passengers/{booking.passengers[1].id}/"

    def patch(client: Client, body: dict[str, Any]) -> Any:
        return client.patch(path, body, content_type="application/json")

    renamed = patch(client, {"first_name": "Anouk", "last_name": "Lind"})
    assert (renamed.status_code, renamed.json()["passengers"][1]["first_name"]) == (200, "Anouk")
    assert code(patch(client, {"first_name": "\u202e", "last_name": "Lind"})) == (400, "INVALID_NAME")
    assert code(patch(client, {"first_name": "A", "last_name": "L", "kind": "CHILD"})) == (400, "UNKNOWN_FIELD")
    assert code(patch(as_traveller(new_traveller()), {"first_name": "A", "last_name": "L"})) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?status=CONFIRMED", 1),
        ("?starts_from={near}&starts_to={near}", 1),
        ("?starts_from={far}", 1),
        ("?starts_to=2020-01-01", 0),
        ("?reference={reference}", 1),
        ("?reference={start}&status=PENDING", 0),
    ],
)
def test_bookings_are_filtered(
    as_traveller: Clients, buyer: Buyer, destinations: Destinations, query: str, count: int
) -> None:
    """Days are counted in Tokyo, where both trips take place."""
    near = buyer.pay(buyer.book(destinations.publish(starts_in=timedelta(days=20))))[1]
    far = buyer.book(destinations.publish(starts_in=timedelta(days=50)))
    words = {
        "near": near.starts_at.astimezone(ZoneInfo("Asia/Tokyo")).date(),
        "far": far.starts_at.astimezone(ZoneInfo("Asia/Tokyo")).date(),
        "reference": near.reference,
        "start": near.reference[:3],
    }

    listed = as_traveller(buyer.who).get(f"/api/v1/bookings/{query.format(**words)}").json()["results"]

    assert len(listed) == count


@pytest.mark.parametrize("query", ["starts_from=2027-02-30", "starts_to=tomorrow", "status=PAID", "departs=2027-01-01"])
def test_an_invalid_filter_is_refused(as_traveller: Clients, buyer: Buyer, query: str) -> None:
    refused = as_traveller(buyer.who).get(f"/api/v1/bookings/?{query}")

    assert code(refused) == (400, "BAD_USER_INPUT")
    assert refused.json()["errors"][0]["field"] == query.partition("=")[0]


def test_staff_cancel_and_refund(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.pay(buyer.book(destinations.publish(policy=((1, 0),))))[1]
    agent, finance = staff("booking_agent"), staff("finance")
    path = f"/staff/bookings/{booking.reference}"

    given = post(finance, f"{path}/refunds/", {"amount": "12.50", "currency": "EUR", "reason": "Sorry"}, str(uuid4()))
    assert (given.status_code, given.json()["refunds"][0]["amount"]["amount"]) == (201, "12.50")
    quoted = post(agent, f"{path}/cancellation-quotes/", {"reason": "Illness", "refund_percent": 50})
    assert (quoted.status_code, quoted.json()["refund"]["amount"]) == (201, "500.00")
    confirm = f"/staff/cancellation-quotes/{quoted.json()['id']}/confirm/"
    assert code(post(staff("booking_agent"), confirm)) == (404, "NOT_FOUND")
    cancelled = post(agent, confirm)
    assert (cancelled.status_code, cancelled.json()["reason"]) == (200, "CANCELLED_BY_STAFF")
    assert post(agent, confirm).json() == cancelled.json()


def test_every_action_of_staff_is_forbidden_to_others(
    as_traveller: Clients, buyer: Buyer, destinations: Destinations
) -> None:
    booking = buyer.pay(buyer.book(destinations.publish()))[1]
    refund = {"amount": "1.00", "currency": "EUR", "reason": "Sorry"}
    actions = {
        f"/staff/bookings/{booking.reference}/cancellation-quotes/": ({"reason": "x"}, "booking_agent"),
        f"/staff/cancellation-quotes/{uuid7()}/confirm/": ({}, "booking_agent"),
        f"/staff/bookings/{booking.reference}/refunds/": (refund, "finance"),
        f"/staff/refunds/{uuid7()}/retry/": ({"reason": "x"}, "finance"),
        f"/staff/refunds/{uuid7()}/write-off/": ({"reason": "x"}, "finance"),
    }
    for path, (body, role) in actions.items():
        others = [staff(other) for other in {"booking_agent", "finance", "support", "catalogue_editor"} - {role}]
        for client in (as_traveller(buyer.who), *others):
            assert code(post(client, path, body, "key")) == (403, "FORBIDDEN"), path
        assert code(post(Client(), path, body, "key")) == (401, "UNAUTHENTICATED"), path
        assert post(staff("admin"), path, body, "key").status_code in (200, 201, 404), path
    assert Refund.objects.count() == 1  # the one of the admin role


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"amount": "0"}, (400, "BAD_USER_INPUT")),
        ({"amount": "-1"}, (400, "BAD_USER_INPUT")),
        ({"amount": "1.005"}, (400, "BAD_USER_INPUT")),
        ({"amount": "NaN"}, (400, "BAD_USER_INPUT")),
        ({"amount": "1E+14"}, (400, "BAD_USER_INPUT")),
        ({"currency": "USD"}, (400, "BAD_USER_INPUT")),
        ({"currency": "euro"}, (400, "BAD_USER_INPUT")),
        ({"reason": " "}, (400, "BAD_USER_INPUT")),
        ({"staff_id": str(uuid7())}, (400, "UNKNOWN_FIELD")),
        ({"amount": "1000.01"}, (409, "REFUND_TOO_LARGE")),
    ],
)
def test_invalid_refunds_are_refused(
    buyer: Buyer, destinations: Destinations, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    booking = buyer.pay(buyer.book(destinations.publish()))[1]
    asked = {"amount": "1.00", "currency": "EUR", "reason": "Sorry", **body}

    refused = post(staff("finance"), f"/staff/bookings/{booking.reference}/refunds/", asked, str(uuid4()))

    assert code(refused) == expected
    assert not Refund.objects.exists()
