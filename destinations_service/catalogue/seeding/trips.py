"""The rows of trips and their departures, each departure with the event that tells of it."""

from collections.abc import Iterable
from datetime import date, datetime

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.events import scheduled
from destinations_service.catalogue.models import CancellationRule, Departure, Trip, TripTranslation
from destinations_service.catalogue.seeding import content, schedule
from destinations_service.catalogue.seeding.content import Words
from destinations_service.catalogue.seeding.places import Gazetteer
from shared.outbox import publish_many


def write_trips(gazetteer: Gazetteer) -> int:
    """Write the trips whose slugs are not there yet, with their words and policies; return how many."""
    there = set(Trip.objects.values_list("slug", flat=True))
    rows = [row for row in seed_data.trips() if row.slug not in there]
    trips = [
        Trip(
            slug=row.slug,
            destination_id=gazetteer.city_id(row.country, row.city),
            duration_days=row.days,
            currency=row.currency,
            tax_basis_points=row.tax_basis_points,
        )
        for row in rows
    ]
    Trip.objects.bulk_create(trips)
    TripTranslation.objects.bulk_create(
        translation for trip, row in zip(trips, rows, strict=True) for translation in translations(trip, row, gazetteer)
    )
    CancellationRule.objects.bulk_create(
        CancellationRule(trip=trip, days_before=days, refund_percent=percent)
        for trip, row in zip(trips, rows, strict=True)
        for days, percent in schedule.POLICIES[row.policy]
    )
    return len(trips)


def translations(trip: Trip, row: seed_data.TripRow, gazetteer: Gazetteer) -> Iterable[TripTranslation]:
    """Yield a trip's words in both languages."""
    city = seed_data.city_of()[row.country, row.city]
    words = content.trip_description(
        row, Words(city.name_en, city.name_fr), gazetteer.sight_words(row.country, row.city)
    )
    yield TripTranslation(trip=trip, language="EN", title=row.title_en, description=words.en)
    yield TripTranslation(trip=trip, language="FR", title=row.title_fr, description=words.fr)


def write_departures(*, today: date, now: datetime) -> int:
    """Write the departures of the next twelve months that are not there yet and publish each; return how many."""
    rows = {row.slug: row for row in seed_data.trips()}
    trips = list(Trip.objects.filter(slug__in=rows))
    there = set(Departure.objects.filter(trip__in=trips).values_list("trip_id", "starts_at"))
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
            if (trip.id, departure.starts_at) not in there
        ]
    Departure.objects.bulk_create(new, batch_size=2_000)
    publish_many(((scheduled(departure), departure.id, departure.version) for departure in new), occurred_at=now)
    return len(new)
