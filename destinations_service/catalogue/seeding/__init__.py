"""Fills the catalogue from the committed seed data. Seeding can be repeated: it adds only what is missing."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.contracts import NewRate
from destinations_service.catalogue.models import Destination, ExchangeRate, SearchEntry
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.seeding.details import details_of_older_trips, older_sights, write_to_older_sights
from destinations_service.catalogue.seeding.names import new_names, write_names
from destinations_service.catalogue.seeding.places import Gazetteer, drawn_at_seed, write_places
from destinations_service.catalogue.seeding.trips import new_departures, new_trips, write_departures, write_trips
from destinations_service.catalogue.services import refresh_search, update_rates
from shared.db import advisory_lock, database_now

REFERENCE: Final = "European Central Bank: euro foreign exchange reference rates"
SAMPLE: Final = "Sample: a rounded rate written down by hand, for currencies without a reference rate"


@dataclass(frozen=True, slots=True)
class Seeded:
    """The number of rows that were added, and of photos that were drawn."""

    places: int
    trips: int
    departures: int
    photos: int


def seed(*, say: Callable[[str], None] = lambda _: None) -> Seeded:
    """Write what the seed data has and the catalogue lacks, in one transaction. Then draw the photos that are missing.

    A row is known by its slug, by currency and day, or by trip and instant. A known row stays as staff left it. A
    second run on the same day writes nothing; a run on a later day adds the departures that came within twelve months.
    Every new departure is published. All rows are made before the transaction begins, because it must not wait while
    they are made.
    """
    with advisory_lock("seed"):
        now = database_now()
        rates = new_exchange_rates()
        gazetteer = Gazetteer(known=dict(Destination.objects.values_list("slug", "id")))
        places = list(gazetteer.new_places())
        older, sights = details_of_older_trips(gazetteer), older_sights()
        trips, details = new_trips(gazetteer)
        departures = new_departures(today=now.date(), unsaved=[trip.row for trip in trips])
        names = new_names(gazetteer.ids)
        with _uncollected(), transaction.atomic():
            write_places(places)
            write_names(names)
            write_trips(trips)
            details.write()
            older.write_to_older_trips()
            write_to_older_sights(sights)
            if places or names or trips or not SearchEntry.objects.exists():
                refresh_search()
            write_departures(departures, now=now)
            if rates:
                update_rates(rates, force=True)
            if places or names or trips or departures:
                _count_rows()
    say(f"{len(places)} places, {len(trips)} trips, {len(departures)} departures")
    photos = library.keep_many(Path(settings.MEDIA_ROOT), drawn_at_seed(gazetteer))
    say(f"{photos} photos drawn")
    return Seeded(places=len(places), trips=len(trips), departures=len(departures), photos=photos)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep existing objects out of garbage collection: a visit to all rows would take longer than several batches."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _count_rows() -> None:
    """Have PostgreSQL count the rows at once: its planner takes minutes over joins of a catalogue that it believes
    empty.
    """
    tables = [model._meta.db_table for model in apps.get_app_config("catalogue").get_models()]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))).as_string(cursor.connection)
        )


def new_exchange_rates() -> list[NewRate]:
    """Return the rates of the seed data that are missing. A rate of the samples is missing only if there is none."""
    stored = set(ExchangeRate.objects.values_list("currency", "as_of"))
    currencies = {currency for currency, _ in stored}
    reference = [
        NewRate(row.currency, row.rate, row.day, REFERENCE)
        for row in seed_data.exchange_rates()
        if (row.currency, row.day) not in stored
    ]
    samples = [
        NewRate(row.currency, row.rate, row.day, SAMPLE)
        for row in seed_data.sample_rates()
        if row.currency not in currencies
    ]
    return reference + samples
