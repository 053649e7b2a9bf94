"""Trips and departures by id and slug."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from destinations_service.catalogue.contracts import DepartureView, DestinationView, RuleView, TripView
from destinations_service.catalogue.models import Departure, Trip
from destinations_service.catalogue.selectors.places import destinations_by_key
from shared.errors import NotFound
from shared.money import Money
from shared.text import Text

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    class FromAmount(TypedDict):
        """What `trips()` adds to a row: the lowest adult price of an open departure to come."""

        from_amount: Decimal | None

    PricedTrip = WithAnnotations[Trip, FromAmount]


def trips() -> "QuerySet[PricedTrip]":
    """Return trips with their translations, their policy and the amount of their `from_price`."""
    upcoming = Q(departures__status="OPEN", departures__starts_at__gt=datetime.now(UTC))
    return Trip.objects.prefetch_related("translations", "cancellation_rules").annotate(
        from_amount=Min("departures__adult_price", filter=upcoming)
    )


def trips_by_key(*, ids: Collection[UUID] = (), slugs: Collection[str] = ()) -> list[TripView]:
    """Return the trips that exist, in the order of `ids` and then of `slugs`."""
    rows: dict[UUID | str, PricedTrip] = {}
    if ids:
        rows.update({row.id: row for row in trips().filter(id__in=ids)})
    if slugs:
        rows.update({row.slug: row for row in trips().filter(slug__in=slugs)})
    keys: list[UUID | str] = [*ids, *slugs]
    return [trip_view(rows[key]) for key in keys if key in rows]


def departures_by_id(*, ids: Collection[UUID]) -> list[DepartureView]:
    """Return the departures that exist, in the order of `ids`."""
    rows = {row.id: row for row in Departure.objects.filter(id__in=ids).select_related("trip")}
    return [departure_view(rows[key]) for key in ids if key in rows]


def departure_for_quote(*, departure_id: UUID) -> tuple[DepartureView, TripView, DestinationView]:
    """Return a departure, its trip and its destination: what a quote is made from. Raises NotFound."""
    departures = departures_by_id(ids=[departure_id])
    if not departures:
        raise NotFound
    trip = trips_by_key(ids=[departures[0].trip_id])[0]
    return departures[0], trip, destinations_by_key(ids=[trip.destination_id])[0]


def trip_view(row: "PricedTrip") -> TripView:
    """Return the view of a trip. `row` was read by `trips()`."""
    words = {translation.language: translation for translation in row.translations.all()}
    english, french = words.get("EN") or words.get("FR"), words.get("FR") or words.get("EN")
    return TripView(
        id=row.id,
        slug=row.slug,
        title=Text(en=english.title, fr=french.title) if english and french else Text(en=row.slug, fr=row.slug),
        description=Text(en=english.description, fr=french.description) if english and french else Text(en="", fr=""),
        destination_id=row.destination_id,
        duration_days=row.duration_days,
        currency=row.currency,
        tax_basis_points=row.tax_basis_points,
        from_price=None if row.from_amount is None else Money.rounded(row.from_amount, row.currency),
        policy=tuple(
            RuleView(rule.days_before, rule.refund_percent)
            for rule in sorted(row.cancellation_rules.all(), key=lambda rule: -rule.days_before)
        ),
    )


def departure_view(row: Departure) -> DepartureView:
    """Return the view of a departure. `row` was read with its trip."""
    departed = row.status != "CANCELLED" and row.starts_at <= datetime.now(UTC)
    return DepartureView(
        id=row.id,
        trip_id=row.trip_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        status="DEPARTED" if departed else row.status,
        capacity=row.capacity,
        adult_price=Money.rounded(row.adult_price, row.trip.currency),
        child_price=Money.rounded(row.child_price, row.trip.currency),
        version=row.version,
        tax_basis_points=row.trip.tax_basis_points,
    )
