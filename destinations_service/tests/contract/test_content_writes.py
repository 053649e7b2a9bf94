"""Trip content and visiting times over REST and in the admin: what is written, refused and published."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from destinations_service.catalogue.models import (
    Destination,
    ItineraryDay,
    ItineraryDayTranslation,
    OpeningHours,
    Trip,
    TripTranslation,
)
from destinations_service.tests.admin_pages import address, opened
from destinations_service.tests.factories import DestinationFactory, TripFactory
from shared.auth.testing import mint_access_token
from shared.outbox.models import OutboxEvent

pytestmark = pytest.mark.django_db
TIMES = "/api/v1/destinations/museum/visiting-times/"
MONDAY = {"weekday": 1, "opens": "09:00", "closes": "12:00"}
ALL_YEAR: dict[str, Any] = {"season_from_month": None, "season_to_month": None}


@pytest.fixture
def editor() -> Client:
    token = mint_access_token(roles=["catalogue_editor"])
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)


@pytest.fixture
def staff() -> Client:
    user = get_user_model().objects.create_user("editor@travel.example", is_staff=True)
    user.groups.set(Group.objects.filter(name="catalogue_editor"))
    client = Client()
    client.force_login(user, backend="shared.staff_sign_in.StaffBackend")
    return client


def put(client: Client, body: Any, **headers: str) -> Any:
    return client.put(TIMES, body, content_type="application/json", headers=headers)


def test_visiting_times_are_replaced_and_published_once(editor):
    DestinationFactory(slug="museum")
    body = {
        "opening_hours": [{"weekday": 1, "opens": "14:00", "closes": "18:30"}, MONDAY],
        "season_from_month": 11,
        "season_to_month": 3,
    }

    saved, again = put(editor, body), put(editor, body)
    stale = put(editor, {"opening_hours": [], **ALL_YEAR}, **{"if-match": '"1"'})

    assert [answer.status_code for answer in (saved, again, stale)] == [200, 200, 412], saved.content
    assert saved.json()["opening_hours"] == [MONDAY, {"weekday": 1, "opens": "14:00", "closes": "18:30"}]
    assert Client().get(TIMES).json() == saved.json()
    assert [event.sequence for event in OutboxEvent.objects.all()] == [2]


@pytest.mark.parametrize(
    ("hours", "season", "field"),
    [
        ([{**MONDAY, "weekday": 8}], ALL_YEAR, "opening_hours.0.weekday"),
        ([{**MONDAY, "closes": "09:00"}], ALL_YEAR, "opening_hours.0.closes"),
        ([{**MONDAY, "closes": "25:00"}], ALL_YEAR, "opening_hours.0.closes"),
        ([MONDAY, {**MONDAY, "opens": "11:00", "closes": "13:00"}], ALL_YEAR, "opening_hours.1.opens"),
        ([MONDAY], {"season_from_month": 13, "season_to_month": 1}, "season_from_month"),
        ([MONDAY], {"season_from_month": 1, "season_to_month": None}, "season_to_month"),
    ],
)
def test_wrong_visiting_times_are_refused_at_their_field(editor, hours, season, field):
    DestinationFactory(slug="museum")

    answer = put(editor, {"opening_hours": hours, **season})

    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert not OpeningHours.objects.exists()


def test_only_editors_write_visiting_times():
    DestinationFactory(slug="museum")

    assert put(Client(), {"opening_hours": [], **ALL_YEAR}).status_code == 401


def test_the_content_of_a_trip_is_read_with_html_that_cannot_run(client):
    trip = TripFactory(slug="walk")
    day = ItineraryDay.objects.create(trip=trip, day=1)
    ItineraryDayTranslation.objects.create(
        itinerary_day=day, language="EN", title="Start", description="<script>x()</script>**Go**"
    )

    content = client.get("/api/v1/trips/walk/content/").json()

    assert content["itinerary"] == [
        {"day": 1, "title": "Start", "description": "**Go**", "description_html": "<p><strong>Go</strong></p>",
         "destination_id": None},
    ]  # fmt: skip
    assert (content["included"], content["meeting_point"]) == ([], None)
    assert client.get("/api/v1/trips/none/content/").status_code == 404


def _day(number: int, **words: str) -> dict[str, str]:
    texts = {"title_en": "Start", "title_fr": "Départ", "description_en": "*Go*", "description_fr": "", **words}
    return {f"itinerary-0-{name}": value for name, value in {"day": str(number), "destination": "", **texts}.items()}


def test_an_editor_writes_days_and_lines_that_contain_commas(staff):
    """The usual field of a list would split a line at its comma."""
    trip = TripFactory()
    sent = {**opened(staff, trip), "itinerary-TOTAL_FORMS": "1", **_day(1)}
    text = next(name for name, value in sent.items() if name.endswith("-language") and value == "EN")
    sent[text.replace("-language", "-included")] = "Guide, day and night\r\n\r\nTea\r\n"

    answer = staff.post(address(trip), sent)

    assert answer.status_code == 302, answer.context["errors"]
    assert TripTranslation.objects.get(trip=trip, language="EN").included == ["Guide, day and night", "Tea"]
    assert {text.title for text in ItineraryDayTranslation.objects.all()} == {"Start", "Départ"}
    assert Trip.objects.get(id=trip.id).version == trip.version + 1
    changed = {**opened(staff, trip), "itinerary-0-title_fr": "Le départ"}
    assert changed["itinerary-0-title_en"] == "Start"
    assert staff.post(address(trip), changed).status_code == 302
    assert ItineraryDayTranslation.objects.get(language="FR").title == "Le départ"


def test_a_day_after_the_end_of_the_trip_is_refused_in_words(staff):
    trip = TripFactory(duration_days=5)

    answer = staff.post(address(trip), {**opened(staff, trip), "itinerary-TOTAL_FORMS": "1", **_day(6)})

    assert answer.status_code == 200
    assert "Day 6 is after the end: the trip has 5 days" in answer.content.decode()
    assert not ItineraryDay.objects.exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("1", "09:00", "08:00")], "Write a time after 09:00"),
        ([("1", "09:00", "12:00"), ("1", "11:00", "13:00")], "overlaps another time"),
        ([("1", "09:00", "12:00"), ("1", "14:00", "18:00")], ""),
    ],
)
def test_opening_hours_are_checked_in_the_admin(staff, rows, words):
    place = DestinationFactory(slug="museum")
    sent = {**opened(staff, place), "opening_hours-TOTAL_FORMS": str(len(rows))}
    for at, row in enumerate(rows):
        names = [f"opening_hours-{at}-{name}" for name in ("weekday", "opens", "closes")]
        sent |= dict(zip(names, row, strict=True))

    answer = staff.post(address(place), sent)

    assert answer.status_code == (200 if words else 302)
    assert OpeningHours.objects.count() == (0 if words else 2)
    if words:
        assert words in answer.content.decode()
    assert Destination.objects.get(id=place.id).version == place.version + (0 if words else 1)
