"""What is wrong in the catalogue: what staff should look at, each kind found by one statement."""

# ruff: noqa: S608 — the statements are constants of this module.

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models.functions import Now

from destinations_service.catalogue.models import Departure, Photo
from destinations_service.catalogue.selectors.minimum_group import below_minimum
from shared.statement import Statement

EXAMPLES: Final = 5


class Shortcoming(NamedTuple):
    """A kind of mistake, how many rows have it, and the first of them."""

    what: str
    rows: int
    examples: list[str]


_STATEMENTS: Final = {
    "places without a name in {language}": """
        SELECT d.slug FROM catalogue_destination AS d WHERE NOT EXISTS (
            SELECT FROM catalogue_destinationtranslation AS t
            WHERE t.destination_id = d.id AND t.language = %(language)s AND t.name <> '')""",
    "trips without a title in {language}": """
        SELECT t.slug FROM catalogue_trip AS t WHERE NOT EXISTS (
            SELECT FROM catalogue_triptranslation AS x
            WHERE x.trip_id = t.id AND x.language = %(language)s AND x.title <> '')""",
    "places whose currency has no rate": """
        SELECT d.slug FROM catalogue_destination AS d WHERE d.currency <> 'EUR' AND NOT EXISTS (
            SELECT FROM catalogue_exchangerate AS r WHERE r.currency = d.currency)""",
    "trips whose currency has no rate": """
        SELECT t.slug FROM catalogue_trip AS t WHERE t.currency <> 'EUR' AND NOT EXISTS (
            SELECT FROM catalogue_exchangerate AS r WHERE r.currency = t.currency)""",
    "trips without an open departure to come": """
        SELECT t.slug FROM catalogue_trip AS t WHERE NOT EXISTS (
            SELECT FROM catalogue_departure AS x
            WHERE x.trip_id = t.id AND x.status = 'OPEN' AND x.starts_at > now())""",
    "trips without a cancellation rule": """
        SELECT t.slug FROM catalogue_trip AS t WHERE NOT EXISTS (
            SELECT FROM catalogue_cancellationrule AS r WHERE r.trip_id = t.id)""",
    "entries that the search lacks": """
        SELECT d.slug FROM catalogue_destination AS d
        WHERE NOT EXISTS (SELECT FROM catalogue_searchentry AS e WHERE e.id = d.id)
        UNION ALL
        SELECT t.slug FROM catalogue_trip AS t
        WHERE NOT EXISTS (SELECT FROM catalogue_searchentry AS e WHERE e.id = t.id)""",
}


def shortcomings(*, languages: Collection[str]) -> Iterator[Shortcoming]:
    """Yield each kind of mistake, also those that no row has."""
    for what, statement in _STATEMENTS.items():
        for language in languages if "{language}" in what else ("",):
            yield _counted(what.format(language=language), statement, language)
    yield _departures("open departures that have ended", Departure.objects.filter(status="OPEN", ends_at__lt=Now()))
    yield _departures("departures soon and below their minimum", below_minimum(Departure.objects.all()))
    yield _broken_photos()


def _counted(what: str, statement: str, language: str) -> Shortcoming:
    sql = f"""
        WITH wrong AS ({statement})
        SELECT (SELECT count(*) FROM wrong), ARRAY(SELECT slug FROM wrong ORDER BY slug LIMIT {EXAMPLES})
    """
    row = Statement(lambda count, slugs: (count, slugs), sql).first(language=language)
    count, slugs = row or (0, [])
    return Shortcoming(what, count, slugs)


def _departures(what: str, rows: object) -> Shortcoming:
    query = rows.select_related("trip").order_by("starts_at")  # type: ignore[attr-defined]
    examples = [f"{row.trip.slug} {row.starts_at:%Y-%m-%d}" for row in query[:EXAMPLES]]
    return Shortcoming(what, query.count(), examples)


def _broken_photos() -> Shortcoming:
    """A drawn photo is drawn again when it is asked for. An uploaded file that is lost stays lost."""
    uploaded = Photo.objects.filter(is_drawn=False).values_list("id", "image")
    lost = [str(id) for id, image in uploaded.iterator() if not (Path(settings.MEDIA_ROOT) / image).is_file()]
    return Shortcoming("photos whose file is lost", len(lost), lost[:EXAMPLES])
