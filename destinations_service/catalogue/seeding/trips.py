"""The rows of trips and their departures. Each departure is published with its row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.events import scheduled
from destinations_service.catalogue.models import CancellationRule, Departure, Trip, TripTranslation
from destinations_service.catalogue.seeding import content, schedule
from destinations_service.catalogue.seeding.content import Words
from destinations_service.catalogue.seeding.details import TripDetails
from destinations_service.catalogue.seeding.places import Gazetteer
from shared.outbox import publish_many

BATCH: Final = 100  # departures


@dataclass(frozen=True, slots=True)
class NewTrip:
    """One trip to write, with its translations and its cancellation policy."""

    row: Trip
    translations: list[TripTranslation]
    rules: list[CancellationRule]


def new_trips(gazetteer: Gazetteer) -> tuple[list[NewTrip], TripDetails]:
    """Make the rows of the trips whose slugs are not in the database yet, and of what they contain."""
    known = set(Trip.objects.values_list("slug", flat=True))
    trips, details = [], TripDetails()
    for row in seed_data.trips():
        if row.slug not in known:
            trips.append(trip := new_trip(row, gazetteer))
            details.add(trip.row, trip.translations, row, gazetteer)
    return trips, details


def new_trip(row: seed_data.TripRow, gazetteer: Gazetteer) -> NewTrip:
    """Make the rows of one trip."""
    trip = Trip(
        slug=row.slug,
        destination_id=gazetteer.city_id(row.country, row.city),
        duration_days=row.days,
        currency=row.currency,
        tax_basis_points=row.tax_basis_points,
    )
    rules = [
        CancellationRule(trip=trip, days_before=days, refund_percent=percent)
        for days, percent in schedule.POLICIES[row.policy]
    ]
    return NewTrip(trip, list(translations(trip, row, gazetteer)), rules)


def write_trips(trips: Sequence[NewTrip]) -> None:
    """Write the trips, in their order."""
    Trip.objects.bulk_create(trip.row for trip in trips)
    TripTranslation.objects.bulk_create(translation for trip in trips for translation in trip.translations)
    CancellationRule.objects.bulk_create(rule for trip in trips for rule in trip.rules)


def translations(trip: Trip, row: seed_data.TripRow, gazetteer: Gazetteer) -> Iterable[TripTranslation]:
    """Yield a trip's translations in both languages."""
    city = seed_data.city_of()[row.country, row.city]
    words = content.trip_description(
        row, Words(city.name_en, city.name_fr), gazetteer.sight_words(row.country, row.city)
    )
    yield TripTranslation(trip=trip, language="EN", title=row.title_en, description=words.en)
    yield TripTranslation(trip=trip, language="FR", title=row.title_fr, description=words.fr)


def new_departures(*, today: date, unsaved: Sequence[Trip] = ()) -> list[Departure]:
    """Make the departures of the next twelve months that are not in the database yet, those of `unsaved` trips
    included.
    """
    rows = {row.slug: row for row in seed_data.trips()}
    trips = [*Trip.objects.filter(slug__in=rows), *unsaved]
    known = set(Departure.objects.filter(trip__slug__in=rows).values_list("trip_id", "starts_at"))
    new = []
    for trip in trips:
        row = rows[trip.slug]
        zone = seed_data.city_of()[row.country, row.city].time_zone
        new += [
            Departure(
                trip=trip,
                starts_at=departure.starts_at,
                ends_at=departure.ends_at,
                time_zone=zone,
                capacity=departure.capacity,
                adult_price=departure.adult_price,
                child_price=departure.child_price,
            )
            for departure in schedule.departures(row, time_zone=zone, today=today)
            if (trip.id, departure.starts_at) not in known
        ]
    return new


def write_departures(departures: Sequence[Departure], *, now: datetime) -> None:
    """Write the departures and publish each, few at a time: the transaction waits while a batch is made."""
    for start in range(0, len(departures), BATCH):
        batch = departures[start : start + BATCH]
        Departure.objects.bulk_create(batch)
        publish_many(((scheduled(departure), departure.id, departure.version) for departure in batch), occurred_at=now)
