"""Seeding fills the catalogue once, publishes every departure, and adds the new departures of a later day."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO, StringIO
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

from destinations_service.catalogue import seed_data, services
from destinations_service.catalogue.contracts import SearchQuery
from destinations_service.catalogue.models import (
    AveragePrice,
    Departure,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    ItineraryDay,
    OpeningHours,
    Photo,
    PlaceName,
    SearchEntry,
    Trip,
    TripTranslation,
)
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.photos.pictures import drawn_photo, place_of
from destinations_service.catalogue.seeding import Gazetteer, drawn_at_seed, seed
from destinations_service.catalogue.seeding.names import new_names
from destinations_service.catalogue.seeding.trips import new_departures, write_departures
from destinations_service.catalogue.selectors import photos, search, suggest, trip_contents, visiting_times
from shared.outbox.models import OutboxEvent


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker, tmp_path_factory):
    """Seed an empty catalogue once for all tests here, and commit it. Draw three photos only.

    The database ends a transaction that waits more than one second for its next statement: no test here passes if
    seeding computes inside its transaction. Seen failing, with the rows made inside it: "terminating connection due to
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
def _each_test_rolls_back(seeded, db):
    """Start every test with the seeded rows."""


def test_an_empty_catalogue_is_filled_and_every_departure_is_published_once(seeded):
    assert (seeded.trips, seeded.photos) == (200, 3)
    assert seeded.places == Destination.objects.count() == Photo.objects.filter(is_drawn=True, trip=None).count()
    assert DestinationTranslation.objects.exclude(name="").count() == 2 * seeded.places
    assert not AveragePrice.objects.filter(is_sample=False).exists()
    assert ExchangeRate.objects.count() == len(seed_data.exchange_rates()) + len(seed_data.sample_rates())
    published = OutboxEvent.objects.filter(type="travel.destinations.departure.scheduled.v1")
    assert published.count() == seeded.departures == Departure.objects.count()
    assert set(published.values_list("key", flat=True)) == {
        str(key) for key in Departure.objects.values_list("id", flat=True)
    }


def test_seeding_again_changes_nothing_and_keeps_what_staff_wrote(seeded):
    DestinationTranslation.objects.filter(destination__slug="kyoto", language="EN").update(name="Kyōto")
    events = OutboxEvent.objects.count()

    again = seed()

    assert (again.places, again.trips, again.departures, again.photos) == (0, 0, 0, 0)
    assert OutboxEvent.objects.count() == events
    assert DestinationTranslation.objects.get(destination__slug="kyoto", language="EN").name == "Kyōto"


def test_a_later_day_adds_its_departures_and_publishes_only_those(seeded):
    now = timezone.now()
    known = set(Departure.objects.values_list("id", flat=True))
    events = OutboxEvent.objects.count()

    departures = new_departures(today=now.date() + timedelta(days=40))
    write_departures(departures, now=now)

    new = Departure.objects.exclude(id__in=known)
    assert new.count() == len(departures) > 200
    assert new.earliest("starts_at").starts_at > now + timedelta(days=360)
    assert OutboxEvent.objects.count() == events + len(departures)


def test_the_first_forty_trips_have_departures_with_few_and_with_many_seats(seeded):
    """Whatever the order of `trips`: the first twenty departures of each trip include both kinds."""
    for trip in Trip.objects.all():
        seats = list(trip.departures.order_by("starts_at").values_list("capacity", flat=True)[:20])
        assert any(3 <= capacity <= 8 for capacity in seats), trip
        assert any(capacity >= 60 for capacity in seats), trip


def test_the_search_index_has_the_names_in_both_languages(seeded):
    for slug, words in {
        "london": "londres",
        "beijing": "pekin",
        "eiffel-tower": "tour eiffel",
        "reykjavik": "reykjavik",
    }.items():
        assert words in SearchEntry.objects.get(id=Destination.objects.get(slug=slug).id).folded


def test_the_tree_is_consistent(seeded):
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


def test_seeding_and_the_first_request_draw_the_same_picture(seeded):
    """The picture of a place's row equals the picture of the seed data."""
    places = dict(drawn_at_seed(Gazetteer(known={})))

    for slug in ("france", "kyoto", "eiffel-tower", "antarctica"):
        assert place_of(Destination.objects.get(slug=slug)) == places[slug]


def test_a_photo_is_drawn_by_the_first_request_and_then_kept(seeded):
    kobe = Destination.objects.get(slug="kobe")
    assert not library.path_of(Path(settings.MEDIA_ROOT), "kobe", 640).exists()

    first = drawn_photo(kobe, width=640)
    drawn_at = first.stat().st_mtime_ns

    assert drawn_photo(kobe, width=640).stat().st_mtime_ns == drawn_at
    with Image.open(first) as image:
        assert image.size == (640, 400)
    with pytest.raises(ValueError, match="100 pixels wide"):
        drawn_photo(kobe, width=100)


def test_every_trip_has_its_content_and_a_photo(seeded):
    trips = list(Trip.objects.all())
    contents = trip_contents(trip_ids=[trip.id for trip in trips])
    pictures = photos(trip_ids=[trip.id for trip in trips])

    assert {picture.trip_id for picture in pictures} == {trip.id for trip in trips}
    for trip, content in zip(trips, contents, strict=True):
        assert [day.day for day in content.itinerary] == list(range(1, trip.duration_days + 1)), trip
        for day in content.itinerary:
            assert day.title.en, trip
            assert day.description.en != day.description.fr, trip
        assert len(content.included) >= 3, trip
        assert len(content.excluded) >= 3, trip
        assert content.meeting_point is not None, trip
        assert content.meeting_point.latitude is not None, trip
        assert {"en", "fr"} <= set(trip.languages), trip


def test_the_seeded_terms_of_booking_leave_every_departure_bookable(seeded):
    now = timezone.now()
    for departure in Departure.objects.select_related("trip"):
        trip = departure.trip
        assert departure.starts_at - timedelta(days=trip.booking_opens_days or 0) < now, departure
        assert departure.starts_at - timedelta(hours=trip.booking_closes_hours) > now, departure
        assert (trip.minimum_group or 0) <= departure.capacity <= (trip.maximum_group or 0), departure


def test_most_points_of_interest_have_opening_hours_or_a_season(seeded):
    sights = Destination.objects.filter(kind="POINT_OF_INTEREST")
    with_times = sights.exclude(opening_hours=None, season_from_month=None)

    assert with_times.distinct().count() > sights.count() * 0.6
    louvre = visiting_times(destination_ids=[Destination.objects.get(slug="louvre-museum").id])[0]
    assert len(louvre.opening_hours) == 6


def test_an_older_catalogue_gains_the_content_and_keeps_what_staff_wrote(seeded):
    """Seeded by the previous version, except for two trips that staff have given content since."""
    ItineraryDay.objects.all().delete()
    OpeningHours.objects.all().delete()
    Photo.objects.exclude(trip=None).delete()
    Destination.objects.update(season_from_month=None, season_to_month=None)
    Trip.objects.update(languages=[], meeting_latitude=None, meeting_longitude=None, booking_closes_hours=0)
    TripTranslation.objects.update(included=[], excluded=[], meeting_point="")
    spoken, met = Trip.objects.order_by("id")[:2]
    Trip.objects.filter(id=spoken.id).update(languages=["de"])
    TripTranslation.objects.filter(trip=met, language="FR").update(meeting_point="Sous l'horloge")
    versions = dict(Trip.objects.values_list("id", "version"))
    changes = OutboxEvent.objects.filter(type="travel.destinations.trip.changed.v1")
    before = changes.count()

    seed()

    assert ItineraryDay.objects.exclude(trip__in=[spoken, met]).values("trip").distinct().count() == 198
    assert not ItineraryDay.objects.filter(trip__in=[spoken, met]).exists()
    assert Trip.objects.get(id=spoken.id).languages == ["de"]
    assert TripTranslation.objects.get(trip=met, language="FR").meeting_point == "Sous l'horloge"
    assert OpeningHours.objects.count() > 500
    assert changes.count() - before == 198
    assert all(trip.version == versions[trip.id] + (trip not in (spoken, met)) for trip in Trip.objects.all())

    events = OutboxEvent.objects.count()
    ItineraryDay.objects.filter(trip__slug="kyoto-temples-and-tea-houses").delete()  # by staff, who want none
    days = ItineraryDay.objects.count()
    seed()
    assert (OutboxEvent.objects.count(), ItineraryDay.objects.count()) == (events, days)


def test_the_photo_of_a_trip_is_drawn_by_the_first_request(seeded, client):
    trip = Trip.objects.get(slug="kyoto-temples-and-tea-houses")
    picture = Photo.objects.get(trip=trip)

    answer = client.get(f"/photos/{picture.id}/640.jpg")

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    with Image.open(BytesIO(b"".join(answer.streaming_content))) as image:
        assert image.size == (640, 400)
    assert library.path_of(Path(settings.MEDIA_ROOT), f"trips/{trip.slug}", 640).exists()


def test_the_command_prints_what_it_added(seeded):
    output = StringIO()

    call_command("seed", stdout=output)

    assert output.getvalue().splitlines()[-1].startswith("seeded 0 places, 0 trips, 0 departures")


def test_trips_keep_the_order_of_the_seed_data(seeded):
    """Ids increase in that order, so that among equally popular trips the best-known come first."""
    ids = dict(Trip.objects.values_list("slug", "id"))

    assert all(ids[trip.slug] < ids[following.slug] for trip, following in pairwise(seed_data.trips()))


@pytest.mark.parametrize("language", ["EN", "FR"])
@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Munich", "munich"), ("München", "munich"), ("Monaco di Baviera", "munich"), ("東京", "tokyo"),
        ("NYC", "new-york-city"), ("København", "copenhagen"), ("kobenhavn", "copenhagen"), ("Wien", "vienna"),
        ("Firenze", "florence"), ("Łódź", "lodz"), ("Lodz", "lodz"), ("Deutschland", "germany"), ("ドイツ", "germany"),
        ("Россия", "russia"), ("Londres", "london"), ("Varsovie", "warsaw"), ("Nueva York", "new-york-city"),
    ],
)  # fmt: skip
def test_a_place_is_found_first_by_its_names_in_every_language(seeded, text, slug, language):
    query = SearchQuery(text=text, language=language)

    assert search(query=query, first=3, after="").results[0].node.slug == slug
    assert suggest(text=text, first=1, language=language)[0].node.slug == slug


def test_names_of_the_seed_data_are_written_once(seeded):
    names = PlaceName.objects.count()

    assert names == sum(1 for _ in seed_data.place_names())
    assert not new_names(dict(PlaceName.objects.values_list("destination__slug", "destination_id").distinct()))
    assert PlaceName.objects.get(destination__slug="vienna", name="Wien").language == "de"


def test_every_price_has_a_rate_and_saving_keeps_the_daily_costs(seeded):
    """Seen failing (2,793 places of 124 currencies lost their cost) before the samples became dated rates."""
    priced = set(AveragePrice.objects.values_list("currency", flat=True).distinct()) - {"EUR"}
    costs = dict(Destination.objects.values_list("id", "daily_cost_eur"))

    assert priced - set(ExchangeRate.objects.values_list("currency", flat=True)) == set()
    services.refresh_costs(ids=list(costs))
    refreshed = dict(Destination.objects.values_list("id", "daily_cost_eur"))
    assert {place for place, cost in costs.items() if (cost is None) != (refreshed[place] is None)} == set()
    assert max(abs(cost - refreshed[place]) / cost for place, cost in costs.items() if cost) < Decimal("0.001")
