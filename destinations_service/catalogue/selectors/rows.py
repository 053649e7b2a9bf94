"""Rows of places, trips and departures: the columns that a statement selects, and the view that they become."""

# ruff: noqa: S608 — the statements are put together from constants. Every value is a parameter.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from inspect import signature
from typing import Final, Generic, TypeVar
from uuid import UUID

from destinations_service.catalogue.contracts import DepartureView, DestinationView, RuleView, TripView
from destinations_service.catalogue.markdown import clean
from shared.money import Money
from shared.text import Text

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Rows(Generic[V]):
    """Rows of `table`, called `name` in SQL. `view` takes the values of `columns`, the first of which is the id.

    `joins` are LEFT JOINs. The columns of departures have the parameter `now`. Those of trips have `from` and `until`:
    the dates of the departures that count for the lowest price.
    """

    name: str
    table: str
    columns: str
    joins: str
    view: Callable[..., V]

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(signature(self.view).parameters)

    def where(self, condition: str) -> str:
        """Return the SELECT of the rows that meet `condition`."""
        return f"SELECT {self.columns} FROM {self.table} AS {self.name} {self.joins} WHERE {condition}"

    def joined(self, condition: str) -> str:
        """Return the joins that add the rows to another SELECT's."""
        return f"LEFT JOIN {self.table} AS {self.name} ON {condition} {self.joins}"


def _place(
    id: UUID, slug: str, kind: str, name_en: str, name_fr: str, summary_en: str, summary_fr: str, description_en: str,
    description_fr: str, parent_id: UUID | None, ancestors: list[UUID], country_code: str, latitude: float | None,
    longitude: float | None, time_zone: str, population: int | None, tags: list[str], currency: str,
) -> DestinationView:  # fmt: skip
    return DestinationView(
        id, slug, kind, Text(name_en, name_fr), Text(summary_en, summary_fr),
        Text(clean(description_en), clean(description_fr)), parent_id, tuple(ancestors), country_code, latitude,
        longitude, time_zone, population, tuple(tags), currency,
    )  # fmt: skip


def _trip(
    id: UUID, slug: str, title_en: str, title_fr: str, description_en: str, description_fr: str, destination_id: UUID,
    duration_days: int, currency: str, tax_basis_points: int, from_amount: Decimal | None,
    policy: Sequence[tuple[int, int]], languages: list[str], maximum_group: int | None, minimum_group: int | None,
) -> TripView:  # fmt: skip
    return TripView(
        id, slug, Text(title_en, title_fr), Text(clean(description_en), clean(description_fr)), destination_id,
        duration_days, currency, tax_basis_points,
        None if from_amount is None else Money.rounded(from_amount, currency),
        tuple(RuleView(days_before, refund_percent) for days_before, refund_percent in policy),
        tuple(languages), maximum_group, minimum_group,
    )  # fmt: skip


def _departure(
    id: UUID, trip_id: UUID, starts_at: datetime, ends_at: datetime, time_zone: str, status: str, capacity: int,
    adult_price: Decimal, child_price: Decimal, currency: str, version: int, tax_basis_points: int,
    opens_days: int | None, closes_hours: int, rescheduled_at: datetime | None, change_reason: str,
) -> DepartureView:  # fmt: skip
    return DepartureView(
        id, trip_id, starts_at, ends_at, time_zone, status, capacity, Money.rounded(adult_price, currency),
        Money.rounded(child_price, currency), version, tax_basis_points,
        None if opens_days is None else starts_at - timedelta(days=opens_days),
        starts_at - timedelta(hours=closes_hours), rescheduled_at, change_reason,
    )  # fmt: skip


PLACES: Final = Rows(
    name="place",
    table="catalogue_destination",
    # A text that is missing or empty in one language is shown in the other.
    columns="""
        place.id, place.slug, place.kind,
        coalesce(nullif(en.name, ''), nullif(fr.name, ''), place.slug),
        coalesce(nullif(fr.name, ''), nullif(en.name, ''), place.slug),
        coalesce(nullif(en.summary, ''), fr.summary, ''),
        coalesce(nullif(fr.summary, ''), en.summary, ''),
        coalesce(nullif(en.description, ''), fr.description, ''),
        coalesce(nullif(fr.description, ''), en.description, ''),
        place.parent_id, place.ancestors, place.country_code, place.latitude, place.longitude, place.time_zone,
        place.population, place.tags, place.currency
    """,
    joins="""
        LEFT JOIN catalogue_destinationtranslation AS en ON en.destination_id = place.id AND en.language = 'EN'
        LEFT JOIN catalogue_destinationtranslation AS fr ON fr.destination_id = place.id AND fr.language = 'FR'
    """,
    view=_place,
)
TRIPS: Final = Rows(
    name="trip",
    table="catalogue_trip",
    columns="""
        trip.id, trip.slug,
        coalesce(en_trip.title, fr_trip.title, trip.slug), coalesce(fr_trip.title, en_trip.title, trip.slug),
        coalesce(en_trip.description, fr_trip.description, ''), coalesce(fr_trip.description, en_trip.description, ''),
        trip.destination_id, trip.duration_days, trip.currency, trip.tax_basis_points,
        (SELECT min(open.adult_price) FROM catalogue_departure AS open
         WHERE open.trip_id = trip.id AND open.status = 'OPEN'
         AND open.starts_at >= %(from)s AND open.starts_at < %(until)s),
        ARRAY(SELECT ARRAY[rule.days_before, rule.refund_percent] FROM catalogue_cancellationrule AS rule
              WHERE rule.trip_id = trip.id ORDER BY rule.days_before DESC),
        trip.languages, trip.maximum_group, trip.minimum_group
    """,
    joins="""
        LEFT JOIN catalogue_triptranslation AS en_trip ON en_trip.trip_id = trip.id AND en_trip.language = 'EN'
        LEFT JOIN catalogue_triptranslation AS fr_trip ON fr_trip.trip_id = trip.id AND fr_trip.language = 'FR'
    """,
    view=_trip,
)
DEPARTURES: Final = Rows(
    name="departure",
    table="catalogue_departure",
    columns="""
        departure.id, departure.trip_id, departure.starts_at, departure.ends_at, departure.time_zone,
        CASE WHEN departure.status <> 'CANCELLED' AND departure.starts_at <= %(now)s THEN 'DEPARTED'
             ELSE departure.status END,
        departure.capacity, departure.adult_price, departure.child_price, trip_of.currency, departure.version,
        trip_of.tax_basis_points, trip_of.booking_opens_days, trip_of.booking_closes_hours, departure.rescheduled_at,
        departure.change_reason
    """,
    joins="LEFT JOIN catalogue_trip AS trip_of ON trip_of.id = departure.trip_id",
    view=_departure,
)


def by_slug(rows: Rows[V], *, owner: str) -> str:
    """Return the SELECT of the rows that have one of `ids` or `slugs`, or had one of `slugs` earlier.

    The last column lists the earlier ones among `slugs`. `owner` is the column of the redirects without its `_id`.
    """
    earlier = f"FROM catalogue_slugredirect AS earlier WHERE earlier.slug = ANY(%(slugs)s) AND earlier.{owner}_id"
    return f"""
        SELECT {rows.columns}, ARRAY(SELECT earlier.slug {earlier} = {rows.name}.id)
        FROM {rows.table} AS {rows.name} {rows.joins}
        WHERE {rows.name}.id = ANY(%(ids)s) OR {rows.name}.slug = ANY(%(slugs)s)
           OR {rows.name}.id = ANY(ARRAY(SELECT earlier.{owner}_id {earlier} IS NOT NULL))
    """
