"""Staff write trips over REST: all or nothing, with a version, an event, and the reason of each refusal."""

# ruff: noqa: F811 - a fixture has the name of its argument

import pytest

from destinations_service.catalogue.models import Trip
from destinations_service.tests.contract.test_rest import anybody, editor  # noqa: F401 - fixtures
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.outbox.models import OutboxEvent

pytestmark = pytest.mark.django_db


def trip_body(**changes):
    return {
        "slug": "fjords", "destination_id": str(DestinationFactory().id), "duration_days": 6, "currency": "NOK",
        "languages": ["en", "no"], "maximum_group": 12, "minimum_group": 4, "booking_closes_hours": 48,
        "meeting_latitude": 60.39, "meeting_longitude": 5.32,
        "translations": {
            "EN": {"title": "Fjords by boat", "included": ["Boat"], "meeting_point": "Quay 3"},
            "FR": {"title": "Les fjords en bateau"},
        },
        "cancellation_policy": [{"days_before": 30, "refund_percent": 100}, {"days_before": 7, "refund_percent": 50}],
        **changes,
    }  # fmt: skip


def test_a_trip_is_made_found_and_changed(editor):
    made = editor.post("/api/v1/trips/", trip_body(), content_type="application/json")

    assert (made.status_code, made["Location"]) == (201, "/api/v1/trips/fjords/")
    assert (made.json()["languages"], made.json()["minimum_group"]) == (["en", "no"], 4)
    assert editor.get("/api/v1/search/?text=fjords+boat").json()["results"][0]["trip"]["slug"] == "fjords"

    changed = editor.patch(
        "/api/v1/trips/fjords/", {"maximum_group": None, "translations": {"EN": {"title": "Fjords"}}}, content_type="application/json",
        HTTP_IF_MATCH=made["ETag"],
    )  # fmt: skip
    assert (changed.status_code, changed.json()["maximum_group"], changed.json()["title"]) == (200, None, "Fjords")
    events = [event.type.split(".")[-3] for event in OutboxEvent.objects.order_by("id")]
    assert events == ["trip", "trip"]

    stale = editor.patch(
        "/api/v1/trips/fjords/", {"maximum_group": 9}, content_type="application/json", HTTP_IF_MATCH=made["ETag"]
    )
    assert stale.status_code == 412
    assert editor.delete("/api/v1/trips/fjords/", HTTP_IF_MATCH=made["ETag"]).status_code == 412
    assert Trip.objects.get(slug="fjords").maximum_group is None


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"minimum_group": 20}, "minimum_group", "at most the maximum group of 12"),
        ({"meeting_longitude": None}, "meeting_longitude", "belong together"),
        ({"languages": ["EN"]}, "languages", "two small letters"),
        ({"currency": "ZZZ"}, "currency", "ISO 4217"),
        ({"destination_id": "01a22fbb-6343-762d-8c78-33f000000000"}, "destination_id", "no destination"),
        ({"translations": {"FR": {"description": "x"}}}, "translations.FR.title", "needs a title"),
        ({"booking_opens_days": 1}, "booking_closes_hours", "must close after it opens"),
        (
            {"cancellation_policy": [{"days_before": 3, "refund_percent": 1}, {"days_before": 3, "refund_percent": 2}]},
            "cancellation_policy", "3 has two",
        ),
        ({"price": 3}, "price", "not known"),
    ],
)  # fmt: skip
def test_a_refused_trip_says_why_and_writes_nothing(editor, changes, field, words):
    response = editor.post("/api/v1/trips/", trip_body(**changes), content_type="application/json")

    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["field"] == field
    assert words in error["message"]
    assert not Trip.objects.exists()
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize("change", [{"currency": "USD"}, {"duration_days": 9}])
def test_what_departures_were_made_from_stays(editor, change):
    trip = DepartureFactory().trip

    response = editor.patch(f"/api/v1/trips/{trip.slug}/", change, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (409, "TRIP_HAS_DEPARTURES")


def test_a_taken_slug_and_an_anonymous_caller_are_refused(editor, anybody):
    TripFactory(slug="fjords")

    assert editor.post("/api/v1/trips/", trip_body(), content_type="application/json").json()["code"] == "SLUG_TAKEN"
    assert anybody.post("/api/v1/trips/", trip_body(), content_type="application/json").status_code == 401
    assert editor.delete("/api/v1/trips/fjords/").status_code == 204
