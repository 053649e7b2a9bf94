"""The rows of what trips contain, of their photos, and of opening hours: with new rows, and once for older ones.

An older catalogue, seeded before trips had contents, gains them. A trip counts as without content if it has no
languages, no itinerary and no meeting point. Seeding gives all three: what staff remove later is not added again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.models import (
    Destination,
    ItineraryDay,
    ItineraryDayTranslation,
    OpeningHours,
    Photo,
    Trip,
    TripTranslation,
)
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.photos.drawing import HEIGHT, WIDTH
from destinations_service.catalogue.seeding import hours, itineraries
from destinations_service.catalogue.seeding.places import Gazetteer
from destinations_service.catalogue.seeding.schedule import number
from destinations_service.catalogue.services import record_change, record_trip_change

BATCH = 500
_TRIP_FIELDS = (
    "languages", "maximum_group", "minimum_group", "booking_opens_days", "booking_closes_hours", "meeting_latitude",
    "meeting_longitude",
)  # fmt: skip
_TEXT_FIELDS = ("included", "excluded", "meeting_point")


@dataclass(slots=True)
class TripDetails:
    """The rows of trips' contents. `trips` and `texts` have new values; the others are new rows."""

    trips: list[Trip] = field(default_factory=list)
    texts: list[TripTranslation] = field(default_factory=list)
    days: list[ItineraryDay] = field(default_factory=list)
    day_texts: list[ItineraryDayTranslation] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)

    def add(self, trip: Trip, texts: Sequence[TripTranslation], row: seed_data.TripRow, gazetteer: Gazetteer) -> None:
        """Give `trip` and its texts their values, and make the rows that belong to it."""
        city = seed_data.city_of()[row.country, row.city]
        sights = gazetteer.sights.get((row.country, row.city), [])
        point = itineraries.meeting_point(row, city, sights)
        trip.languages = itineraries.languages(row)
        trip.maximum_group = _one_of(itineraries.LARGEST_GROUPS, row.slug)
        trip.minimum_group = _one_of(itineraries.SMALLEST_GROUPS, row.slug)
        trip.booking_opens_days = _one_of(itineraries.OPENS_DAYS, row.slug)
        trip.booking_closes_hours = _one_of(itineraries.CUT_OFFS, row.slug)
        trip.meeting_latitude, trip.meeting_longitude = point.latitude, point.longitude
        self.trips.append(trip)
        for text in texts:
            language = text.language.lower()
            text.included = [getattr(words, language) for words in itineraries.included(row, city)]
            text.excluded = [getattr(words, language) for words in itineraries.excluded(row, city)]
            text.meeting_point = getattr(point.name, language)
            self.texts.append(text)
        for day in itineraries.days(row, city, sights):
            place = gazetteer.ids.get(day.sight or city.slug)
            new = ItineraryDay(trip=trip, day=day.day, destination_id=place)
            self.days.append(new)
            self.day_texts += [
                ItineraryDayTranslation(
                    itinerary_day=new,
                    language=language,
                    title=getattr(day.title, language.lower()),
                    description=getattr(day.text, language.lower()),
                )
                for language in ("EN", "FR")
            ]
        self.photos.append(photo_of(trip, row))

    def write(self) -> None:
        """Write the rows that belong to the trips. The trips and their texts are in the database already."""
        ItineraryDay.objects.bulk_create(self.days, batch_size=BATCH)
        ItineraryDayTranslation.objects.bulk_create(self.day_texts, batch_size=BATCH)
        Photo.objects.bulk_create(self.photos)

    def write_to_older_trips(self) -> None:
        """Write everything, give each trip its next version and publish the change."""
        Trip.objects.bulk_update(self.trips, _TRIP_FIELDS, batch_size=BATCH)
        TripTranslation.objects.bulk_update(self.texts, _TEXT_FIELDS, batch_size=BATCH)
        self.write()
        for trip in self.trips:
            record_trip_change(trip)


def photo_of(trip: Trip, row: seed_data.TripRow) -> Photo:
    """Return the row of a trip's photo. Its files are drawn at the first request."""
    return Photo(
        trip=trip,
        is_drawn=True,
        alt_en=f"Map: {row.title_en}"[:200],
        alt_fr=f"Carte : {row.title_fr}"[:200],
        credit=library.CREDIT,
        license=library.LICENSE,
        width=WIDTH,
        height=HEIGHT,
    )


def details_of_older_trips(gazetteer: Gazetteer) -> TripDetails:
    """Make the content of the seed data's trips that are in the database without any."""
    rows = {row.slug: row for row in seed_data.trips()}
    without = Trip.objects.filter(
        Q(slug__in=rows, languages=[], itinerary=None, meeting_latitude=None, photos=None)
        & ~Q(translations__meeting_point__gt="")
    )
    details = TripDetails()
    for trip in without.prefetch_related("translations"):
        details.add(trip, list(trip.translations.all()), rows[trip.slug], gazetteer)
    return details


def hours_of(places: Iterable[tuple[Any, seed_data.PointOfInterestRow]]) -> list[OpeningHours]:
    """Make the opening hours of points of interest, given as ids with their rows of the seed data."""
    return [
        OpeningHours(destination_id=place_id, weekday=weekday, opens=opens, closes=closes)
        for place_id, row in places
        for weekday, opens, closes in hours.opening_hours(row)
    ]


def older_sights() -> list[tuple[Destination, seed_data.PointOfInterestRow]]:
    """Return the seed data's points of interest, if none in the database has opening hours or a season yet."""
    rows = {row.slug: row for row in seed_data.points_of_interest()}
    sights = Destination.objects.filter(slug__in=rows, kind="POINT_OF_INTEREST")
    if OpeningHours.objects.exists() or sights.exclude(season_from_month=None).exists():
        return []
    return [(place, rows[place.slug]) for place in sights]


def write_to_older_sights(sights: Sequence[tuple[Destination, seed_data.PointOfInterestRow]]) -> None:
    """Write opening hours and seasons, give each place its next version and publish the change."""
    OpeningHours.objects.bulk_create(hours_of((place.id, row) for place, row in sights), batch_size=BATCH)
    for place, row in sights:
        months = hours.season(row)
        if months:
            place.season_from_month, place.season_to_month = months
            place.save(update_fields=["season_from_month", "season_to_month"])
        if months or hours.opening_hours(row):
            record_change(place)


def _one_of(values: Sequence[int], slug: str) -> int:
    return values[number(slug, "terms") % len(values)]
