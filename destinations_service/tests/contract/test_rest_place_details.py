"""Average prices and the texts of photos over REST: several at once, all or none, one version and one event."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from destinations_service.catalogue.models import AveragePrice, Destination, Photo
from destinations_service.tests.factories import DestinationFactory
from shared.auth.testing import mint_access_token
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent

pytestmark = pytest.mark.django_db
PRICES, PHOTOS = "/api/v1/destinations/town/prices/", "/api/v1/destinations/town/photos/"
MEAL = {"category": "MEAL", "amount": "12.50", "currency": "EUR", "as_of": "2026-01-31", "source": "A survey"}


@pytest.fixture
def editor() -> Client:
    token = mint_access_token(roles=["catalogue_editor"])
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)


def send(client: Client, method: str, path: str, body: Any, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(client, method)(path, body, content_type="application/json", headers=named)


def photo(place: Destination, **given: Any) -> Photo:
    return Photo.objects.create(
        destination=place,
        is_drawn=True,
        **{"alt_en": "A map", "alt_fr": "Carte", "credit": "us", "license": "CC0", **given},
    )


def test_prices_are_replaced_or_changed_by_category(editor):
    place = DestinationFactory(slug="town", daily_cost=50)
    day = {**MEAL, "category": "DAY_MIDRANGE", "amount": "80"}

    changed = send(editor, "patch", PRICES, {"prices": [MEAL]})
    assert [price["category"] for price in changed.json()["prices"]] == ["DAY_MIDRANGE", "MEAL"]
    replaced = send(editor, "put", PRICES, {"prices": [day]}, if_match=changed["ETag"])
    again = send(editor, "put", PRICES, {"prices": [day]}, if_match=replaced["ETag"])
    stale = send(editor, "put", PRICES, {"prices": []}, if_match=changed["ETag"])

    assert [response.status_code for response in (changed, replaced, again, stale)] == [200, 200, 200, 412]
    assert replaced.json()["prices"] == [
        {"category": "DAY_MIDRANGE", "price": {"amount": "80.00", "currency": "EUR"}, "as_of": "2026-01-31", "source": "A survey"}
    ]  # fmt: skip
    assert Destination.objects.get(id=place.id).daily_cost_eur == Decimal("80.00")
    assert [event.sequence for event in OutboxEvent.objects.all()] == [2, 3]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "-1"}, "prices.0.amount"), ({"amount": "1.005"}, "prices.0.amount"), ({"amount": "NaN"}, "prices.0.amount"),
        ({"amount": "1.5", "currency": "JPY"}, "prices.0.amount"), ({"currency": "ZZZ"}, "prices.0.currency"),
        ({"as_of": "2999-01-01"}, "prices.0.as_of"), ({"as_of": "31.1.2026"}, "prices.0.as_of"), ({"source": ""}, "prices.0.source"),
        ({"category": "GOLD"}, "prices.0.category"), ({"amount": "9" * 15}, "prices.0.amount"), ({"popularity": 1}, "prices.0.popularity"),
    ],
)  # fmt: skip
def test_a_wrong_price_is_refused_by_name_and_none_is_written(editor, change, field):
    DestinationFactory(slug="town")

    answer = send(editor, "put", PRICES, {"prices": [{**MEAL, **change}, {**MEAL, "category": "ADMISSION"}]})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not AveragePrice.objects.exists()
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize("body", [{}, {"prices": None}, {"prices": {}}, {"prices": [1]}, {"prices": [MEAL, MEAL]}])
def test_a_list_that_is_none_or_names_a_category_twice_is_refused(editor, body):
    DestinationFactory(slug="town")

    assert send(editor, "put", PRICES, body).status_code == 400
    assert not AveragePrice.objects.exists()


def test_texts_and_order_of_several_photos_change_at_once(editor):
    place = DestinationFactory(slug="town")
    first, second = photo(place, position=0), photo(place, position=1)
    body = {
        "photos": [
            {"id": str(first.id), "position": 2},
            {"id": str(second.id), "alt_en": "The harbour", "credit": "Ann"},
        ]
    }

    answer = send(editor, "patch", PHOTOS, body)

    assert [row["id"] for row in answer.json()["photos"]] == [str(second.id), str(first.id)]
    assert (answer.json()["photos"][0]["alt"], answer.json()["photos"][0]["alt_fr"]) == ("The harbour", "Carte")
    assert [event.sequence for event in OutboxEvent.objects.all()] == [2]
    assert send(editor, "patch", PHOTOS, body).status_code == 200
    assert OutboxEvent.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{"alt_en": ""}, {"position": -1}, {"license": "x" * 101}, {"width": 1}, {"id": str(uuid7())}, {"id": "1"}],
)
def test_a_wrong_photo_is_refused_and_none_is_written(editor, change):
    place = DestinationFactory(slug="town")
    rows = [photo(place), photo(place)]
    body = [{"id": str(rows[0].id), "alt_en": "New"}, {"id": str(rows[1].id), **change}]

    answer = send(editor, "patch", PHOTOS, {"photos": body})

    assert (answer.status_code, answer.json()["errors"][0]["field"][:8]) == (400, "photos.1")
    assert not Photo.objects.filter(alt_en="New").exists()
    assert not OutboxEvent.objects.exists()


def test_a_photo_of_another_place_is_refused(editor):
    DestinationFactory(slug="town")
    other = photo(DestinationFactory())

    answer = send(editor, "patch", PHOTOS, {"photos": [{"id": str(other.id), "alt_en": "Mine"}]})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "photos.0.id")
    other.refresh_from_db()
    assert other.alt_en == "A map"


@pytest.mark.parametrize("path", [PRICES, PHOTOS])
def test_who_is_no_editor_cannot_write(path):
    DestinationFactory(slug="town")
    traveller = Client(headers={"authorization": f"Bearer {mint_access_token(roles=['support'])}"})

    assert send(Client(), "patch", path, {}).status_code == 401
    assert send(traveller, "patch", path, {}).status_code == 403
