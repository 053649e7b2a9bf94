"""The check of the catalogue names each kind of mistake, and the rows that have it."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from destinations_service.catalogue import services
from destinations_service.catalogue.models import Photo
from destinations_service.tests.factories import DepartureFactory, DestinationFactory

pytestmark = pytest.mark.django_db


def checked():
    out = io.StringIO()
    code = 0
    try:
        call_command("check_catalogue", "--json", stdout=out)
    except SystemExit as ended:
        code = ended.code
    return code, {row["what"]: (row["rows"], row["examples"]) for row in json.loads(out.getvalue())}


@pytest.fixture
def whole():
    """A catalogue without a mistake."""
    trip = DepartureFactory().trip
    services.refresh_search_of_trips(ids=[trip.id])
    return trip


def test_a_whole_catalogue_has_nothing_to_look_at(whole):
    assert checked() == (0, {})


def break_name(trip):
    trip.destination.translations.filter(language="FR").delete()


def break_rate(trip):
    DestinationFactory(slug="sierra-leone", currency="SLE")


def break_departures(trip):
    trip.departures.update(status="CLOSED")


def break_search(trip):
    services.remove_from_search(ids=[trip.id])


def break_photo(trip):
    Photo.objects.create(trip=trip, image="originals/lost.jpg", alt_en="x", alt_fr="x", credit="x", license="x")


def break_rules(trip):
    trip.cancellation_rules.all().delete()


def leave_open(trip):
    past = datetime.now(UTC) - timedelta(days=9)
    DepartureFactory(trip=trip, starts_at=past, ends_at=past + timedelta(days=2))


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (break_name, "places without a name in FR"),
        (break_rate, "places whose currency has no rate"),
        (break_departures, "trips without an open departure to come"),
        (break_search, "entries that the search lacks"),
        (break_photo, "photos whose file is lost"),
        (break_rules, "trips without a cancellation rule"),
        (leave_open, "open departures that have ended"),
    ],
)
def test_each_mistake_is_listed_and_the_exit_code_says_so(whole, broken, what):
    broken(whole)

    code, found = checked()

    assert code == 1
    assert list(found) == [what]
    assert found[what][0] == 1
    assert len(found[what][1]) == 1


def test_the_table_is_readable(whole):
    break_rules(whole)
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("check_catalogue", stdout=out)

    assert "trips without a cancellation rule" in out.getvalue()
    assert whole.slug in out.getvalue()
