"""Versions over REST: tags, conditional reads and writes, earlier slugs, and what a cache may keep."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from destinations_service.catalogue.models import Destination, DestinationTranslation, SlugRedirect
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.auth.testing import mint_access_token
from shared.outbox.models import OutboxEvent

pytestmark = pytest.mark.django_db
TOWN = "/api/v1/destinations/town/"


@pytest.fixture
def anybody() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def editor() -> Client:
    token = mint_access_token(roles=["catalogue_editor"])
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(client, method)(path, body, content_type="application/json", headers=named)


def test_a_write_with_the_tag_of_what_was_read_is_allowed_once(editor, anybody):
    """Seen failing (200 twice) when If-Match was not read."""
    DestinationFactory(slug="town")
    tag = anybody.get(TOWN)["ETag"]

    first = send(editor, "patch", TOWN, {"population": 1}, if_match=tag)
    second = send(editor, "patch", TOWN, {"population": 2}, if_match=tag)
    third = send(editor, "patch", TOWN, {"population": 3}, if_match=first["ETag"])

    assert (first.status_code, second.status_code, third.status_code) == (200, 412, 200)
    assert (second.json()["code"], second.json()["params"]) == ("VERSION_CONFLICT", {"version": 2})
    assert Destination.objects.get().population == 3
    assert OutboxEvent.objects.count() == 2


@pytest.mark.parametrize("tag", ['"x"', '"1"', "1", '"0-0000000000000000"', '""', '"' + "9" * 400 + '-a"', "\x00"])
def test_a_tag_that_no_answer_had_is_stale(editor, tag):
    DestinationFactory(slug="town")

    assert send(editor, "patch", TOWN, {"population": 1}, if_match=tag).status_code == 412
    assert send(editor, "delete", TOWN, if_match=tag).status_code == 412


def test_a_tag_in_another_language_or_among_others_is_the_same_version(editor, anybody):
    DestinationFactory(slug="town", names=("Town", "Ville"))
    french = anybody.get(TOWN, headers={"accept-language": "fr"})["ETag"]

    assert french != anybody.get(TOWN)["ETag"]
    assert (
        send(editor, "patch", TOWN, {"population": 1}, if_match=f'"9-0123456789abcdef", W/{french}').status_code == 200
    )
    assert send(editor, "patch", TOWN, {"population": 2}, if_match="*").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["destinations/", "destinations/town/", "destinations/town/photos/", "destinations/town/prices/", "trips/",
     "trips/tour/", "trips/tour/departures/", "search/?text=town", "suggest/?text=town", "tags/"],
)  # fmt: skip
def test_a_read_is_kept_by_caches_and_asked_for_again_by_its_tag(anybody, editor, path):
    """Seen failing (no ETag, and Vary: Cookie) before `PublicReads`."""
    DepartureFactory(trip=TripFactory(slug="tour", destination=DestinationFactory(slug="town")))
    address = f"/api/v1/{path}"

    answer = anybody.get(address)
    again = anybody.get(address, headers={"if-none-match": answer["ETag"]})

    assert (answer.status_code, again.status_code, again.content) == (200, 304, b"")
    assert (again["ETag"], again["Cache-Control"]) == (answer["ETag"], "public, max-age=60")
    assert answer["Vary"] == again["Vary"] == "Accept-Language"
    assert editor.get(address)["Cache-Control"] == "no-store"


def test_a_refusal_is_not_kept(anybody):
    answer = anybody.get("/api/v1/destinations/nowhere/")

    assert (answer.status_code, "Cache-Control" in answer, "ETag" in answer) == (404, False, False)


def test_an_earlier_slug_leads_to_the_present_one_until_it_is_taken_back(anybody, editor):
    """Seen failing (404) before redirects."""
    DestinationFactory(slug="town")

    send(editor, "patch", TOWN, {"slug": "village"})
    moved = anybody.get(TOWN)
    assert (moved.status_code, moved["Location"]) == (308, "/api/v1/destinations/village/")
    assert anybody.get("/api/v1/destinations/town/photos/")["Location"] == "/api/v1/destinations/village/photos/"
    assert send(editor, "patch", TOWN, {"population": 1}).status_code == 308
    assert anybody.get(moved["Location"]).status_code == 200

    assert send(editor, "patch", "/api/v1/destinations/village/", {"slug": "town"}).status_code == 200
    assert anybody.get(TOWN).status_code == 200
    assert list(SlugRedirect.objects.values_list("slug", flat=True)) == ["village"]


def test_a_trip_and_its_departures_are_found_by_an_earlier_slug(anybody):
    trip = TripFactory(slug="tour")
    SlugRedirect.objects.create(trip=trip, slug="old-tour")

    assert anybody.get("/api/v1/trips/old-tour/")["Location"] == "/api/v1/trips/tour/"
    departures = anybody.get("/api/v1/trips/old-tour/departures/?limit=5")
    assert departures["Location"] == "/api/v1/trips/tour/departures/?limit=5"


def test_a_slug_that_leads_elsewhere_or_is_taken_is_refused_in_words(editor):
    place = DestinationFactory(slug="town")
    SlugRedirect.objects.create(destination=place, slug="old-town")
    DestinationFactory(slug="other")

    leads = send(editor, "patch", "/api/v1/destinations/other/", {"slug": "old-town"})
    taken = send(editor, "patch", "/api/v1/destinations/other/", {"slug": "town"})

    assert (leads.status_code, leads.json()["code"], taken.status_code, taken.json()["code"]) == (
        409, "SLUG_LEADS_ELSEWHERE", 409, "SLUG_TAKEN",
    )  # fmt: skip
    assert "an earlier address of town" in leads.json()["detail"]
    assert leads.json()["errors"][0]["field"] == taken.json()["errors"][0]["field"] == "slug"
    assert not OutboxEvent.objects.exists()


def test_null_empties_a_field(editor):
    """Seen failing (200, and nothing changed) when null meant "not sent"."""
    country = DestinationFactory(slug="country", country_code="FR")
    DestinationFactory(slug="town", kind="CITY", parent=country, latitude=1.0, longitude=2.0, population=5)

    half = send(editor, "patch", TOWN, {"latitude": None})
    emptied = send(editor, "patch", TOWN, {"latitude": None, "longitude": None, "population": None})
    without_parent = send(editor, "patch", TOWN, {"parent_id": None})
    country_now = send(editor, "patch", TOWN, {"parent_id": None, "kind": "COUNTRY", "country_code": "MC"})

    assert (half.status_code, half.json()["errors"][0]["field"]) == (400, "latitude")
    assert (emptied.json()["latitude"], emptied.json()["longitude"], emptied.json()["population"]) == (None, None, None)
    assert (without_parent.status_code, without_parent.json()["errors"][0]["field"]) == (400, "parent_id")
    assert (country_now.json()["parent_id"], country_now.json()["ancestors"]) == (None, [])


def test_a_summary_in_french_alone_makes_no_empty_name(editor):
    """Seen failing (an empty French name was stored) when the name had a default."""
    place = DestinationFactory(slug="town", names=("Town", "Ville"))
    DestinationTranslation.objects.filter(language="FR").delete()

    refused = send(editor, "patch", TOWN, {"translations": {"FR": {"summary": "Petite"}}})
    kept = send(editor, "patch", TOWN, {"translations": {"EN": {"summary": "Small"}}})

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "translations.FR.name")
    assert "needs a name" in refused.json()["errors"][0]["message"]
    assert (kept.json()["name"], kept.json()["summary"]) == ("Town", "Small")
    assert not DestinationTranslation.objects.filter(destination=place, language="FR").exists()


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"currency": "ZZZ"}, "currency", "ISO 4217"), ({"currency": "XXX"}, "currency", "ISO 4217"),
        ({"time_zone": "../../etc/localtime"}, "time_zone", "Europe/Paris"), ({"latitude": 1}, "longitude", "both"),
        ({"season_to_month": 3}, "season_from_month", "1 to 12"), ({"kind": "CITY"}, "parent_id", "choose a country"),
        ({"slug": "x" * 101}, "slug", "100"), ({"latitude": 1e400}, "latitude", ""), ({"tags": ["a"] * 31}, "tags", "30"),
        ({"population": 2**70}, "population", ""), ({"translations": {"EN": {"name": "a\x00b"}}}, "translations.EN.name", ""),
        ({"translations": {"DE": {"name": "Ort"}}}, "translations.DE", ""), ({"parent_id": "1"}, "parent_id", "UUID"),
        ({"translations": {"EN": {"name": "a\ud800b"}}}, "translations.EN.name", ""),
    ],
)  # fmt: skip
def test_a_hostile_value_is_refused_by_the_name_that_the_request_wrote(editor, change, field, words):
    DestinationFactory(slug="town")

    answer = send(editor, "patch", TOWN, change)

    assert answer.status_code == 400, answer.content
    assert field in [error["field"] for error in answer.json().get("errors", [{"field": field}])]
    assert words in answer.content.decode()
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_writes_at_once_with_one_tag_one_is_done(editor, anybody):
    """Seen failing (both are done) without the lock in `locked`: both read version 1 before either is written."""
    DestinationFactory(slug="town")
    tag = anybody.get(TOWN)["ETag"]
    together = threading.Barrier(2)

    def write(population: int) -> int:
        together.wait(5)
        try:
            status: int = send(editor, "patch", TOWN, {"population": population}, if_match=tag).status_code
            return status
        finally:
            connection.close()

    for attempt in range(5):
        with ThreadPoolExecutor(2) as threads:
            statuses = sorted(threads.map(write, (attempt * 2 + 1, attempt * 2 + 2)))
        assert statuses == [200, 412]
        tag = anybody.get(TOWN)["ETag"]
    assert Destination.objects.get().version == 6
