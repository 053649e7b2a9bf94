"""Fills the catalogue from the committed seed data, quickly and as often as asked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.models import Destination, ExchangeRate
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.seeding.places import Gazetteer, drawn_at_seed, write_places
from destinations_service.catalogue.seeding.trips import write_departures, write_trips
from destinations_service.catalogue.services import refresh_search
from shared.db import database_now, lock_key


@dataclass(frozen=True, slots=True)
class Seeded:
    """How much was new."""

    places: int
    trips: int
    departures: int
    photos: int


def seed(*, told: Callable[[str], None] = lambda _: None) -> Seeded:
    """Write what the seed data has and the catalogue lacks, in one transaction, then draw the photos that are missing.

    Found by slug, currency and day, trip and instant: what is there stays as staff left it. Asked again on the same day it
    writes nothing; on a later day it adds the departures that came within twelve months. Every new departure is published.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key("seed")])
        now = database_now()
        write_exchange_rates()
        gazetteer = Gazetteer(known=dict(Destination.objects.values_list("slug", "id")))
        places = list(gazetteer.new_places())
        write_places(places)
        if places:
            refresh_search()
        told(f"{len(places)} places")
        trips = write_trips(gazetteer)
        told(f"{trips} trips")
        departures = write_departures(today=now.date(), now=now)
        told(f"{departures} departures")
        if places or trips or departures:
            _count_rows()
    photos = library.keep_many(Path(settings.MEDIA_ROOT), drawn_at_seed(gazetteer))
    told(f"{photos} photos drawn")
    return Seeded(places=len(places), trips=trips, departures=departures, photos=photos)


def _count_rows() -> None:
    """Have the planner know at once how large the catalogue is: with the counts of an empty one, joins of it take minutes."""
    tables = [model._meta.db_table for model in apps.get_app_config("catalogue").get_models()]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))).as_string(cursor.connection)
        )


def write_exchange_rates() -> None:
    """Write the reference rates of the seed data's day, those that are missing."""
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(
                currency=row.currency,
                rate=row.rate,
                as_of=row.day,
                source="European Central Bank: euro foreign exchange reference rates",
            )
            for row in seed_data.exchange_rates()
        ],
        ignore_conflicts=True,
    )
