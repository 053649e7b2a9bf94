"""Seeding fills the catalogue once, tells of every departure, and adds what a later day brings."""

from datetime import timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from PIL import Image

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.models import (
    AveragePrice,
    Departure,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    Photo,
    Trip,
)
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.photos.pictures import drawn_photo, place_of
from destinations_service.catalogue.seeding import Gazetteer, drawn_at_seed, seed
from destinations_service.catalogue.seeding.trips import new_departures, write_departures
from shared.outbox.models import OutboxEvent


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker, tmp_path_factory):
    """Seed an empty catalogue once for all tests here, and commit it. Draw three photos only.

    The database ends a transaction that waits more than one second for its next statement: no test here passes if seeding
    computes inside its transaction. Seen failing, with the rows made inside it: "terminating connection due to
    idle-in-transaction timeout".
    """
    with (
        django_db_blocker.unblock(),
        pytest.MonkeyPatch.context() as patch,
        override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media")),
    ):
        patch.setattr(
            "destinations_service.catalogue.seeding.drawn_at_seed", lambda gazetteer: list(drawn_at_seed(gazetteer))[:3]
        )
        seed_data.cities.cache_clear()  # reading the files is part of the work
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET idle_in_transaction_session_timeout = 1000")
            seeded = seed()
            with connection.cursor() as cursor:
                cursor.execute("RESET idle_in_transaction_session_timeout")
            yield seeded
        finally:
            connection.close()
            tables = [model._meta.db_table for model in (*apps.get_app_config("catalogue").get_models(), OutboxEvent)]
            connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables, allow_cascade=True))


@pytest.fixture(autouse=True)
def _each_test_undoes_its_own(seeded, db):
    """Every test begins with what `seeded` left."""


def test_an_empty_catalogue_is_filled_and_every_departure_told_of_once(seeded):
    assert (seeded.trips, seeded.photos) == (200, 3)
    assert seeded.places == Destination.objects.count() == Photo.objects.filter(is_drawn=True).count()
    assert DestinationTranslation.objects.exclude(name="").count() == 2 * seeded.places
    assert not AveragePrice.objects.filter(is_sample=False).exists()
    assert ExchangeRate.objects.count() == len(seed_data.exchange_rates())
    told = OutboxEvent.objects.filter(type="travel.destinations.departure.scheduled.v1")
    assert told.count() == seeded.departures == Departure.objects.count()
    assert set(told.values_list("key", flat=True)) == {
        str(key) for key in Departure.objects.values_list("id", flat=True)
    }


def test_seeding_again_changes_nothing_and_keeps_what_staff_wrote(seeded):
    DestinationTranslation.objects.filter(destination__slug="kyoto", language="EN").update(name="Kyōto")
    events = OutboxEvent.objects.count()

    again = seed()

    assert (again.places, again.trips, again.departures, again.photos) == (0, 0, 0, 0)
    assert OutboxEvent.objects.count() == events
    assert DestinationTranslation.objects.get(destination__slug="kyoto", language="EN").name == "Kyōto"


def test_a_later_day_adds_its_departures_and_tells_of_those_alone(seeded):
    now = timezone.now()
    there = set(Departure.objects.values_list("id", flat=True))
    events = OutboxEvent.objects.count()

    departures = new_departures(today=now.date() + timedelta(days=40))
    write_departures(departures, now=now)

    new = Departure.objects.exclude(id__in=there)
    assert new.count() == len(departures) > 200
    assert new.earliest("starts_at").starts_at > now + timedelta(days=360)
    assert OutboxEvent.objects.count() == events + len(departures)


def test_the_first_forty_trips_have_departures_with_few_and_with_many_seats(seeded):
    """However `trips` orders them: every trip has some of both within its first twenty."""
    for trip in Trip.objects.all():
        seats = list(trip.departures.order_by("starts_at").values_list("capacity", flat=True)[:20])
        assert any(3 <= capacity <= 8 for capacity in seats), trip
        assert any(capacity >= 60 for capacity in seats), trip


def test_places_are_found_by_their_names_in_both_languages(seeded):
    for slug, words in {
        "london": "londres",
        "beijing": "pekin",
        "eiffel-tower": "tour eiffel",
        "reykjavik": "reykjavik",
    }.items():
        assert words in Destination.objects.get(slug=slug).search_text


def test_the_tree_is_whole(seeded):
    tower = Destination.objects.get(slug="eiffel-tower")
    assert tower.parent.slug == "paris"
    assert tower.ancestors == [tower.parent.parent_id, tower.parent_id]
    assert Destination.objects.get(id=tower.ancestors[0]).country_code == "FR"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM catalogue_destination child JOIN catalogue_destination parent ON parent.id = child.parent_id"
            " WHERE child.ancestors <> parent.ancestors || parent.id OR child.country_code <> parent.country_code"
        )
        assert cursor.fetchone() == (0,)


def test_what_is_drawn_at_seed_is_what_is_drawn_when_first_asked_for(seeded):
    """A place's picture is the same from its row as from the seed data."""
    places = dict(drawn_at_seed(Gazetteer(known={})))

    for slug in ("france", "kyoto", "eiffel-tower", "antarctica"):
        assert place_of(Destination.objects.get(slug=slug)) == places[slug]


def test_a_photo_is_drawn_when_first_asked_for_and_then_kept(seeded):
    kobe = Destination.objects.get(slug="kobe")
    assert not library.path_of(Path(settings.MEDIA_ROOT), "kobe", 640).exists()

    first = drawn_photo(kobe, width=640)
    made = first.stat().st_mtime_ns

    assert drawn_photo(kobe, width=640).stat().st_mtime_ns == made
    with Image.open(first) as image:
        assert image.size == (640, 400)
    with pytest.raises(ValueError, match="100 pixels wide"):
        drawn_photo(kobe, width=100)


def test_the_command_says_what_it_did(seeded):
    said = StringIO()

    call_command("seed", stdout=said)

    assert said.getvalue().splitlines()[-1].startswith("seeded 0 places, 0 trips, 0 departures")


def test_trips_keep_the_order_of_the_seed_data(seeded):
    """Ids grow in that order, so that the best known come first among equals."""
    ids = dict(Trip.objects.values_list("slug", "id"))

    assert all(ids[one.slug] < ids[other.slug] for one, other in pairwise(seed_data.trips()))
