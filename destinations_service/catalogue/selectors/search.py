"""The search for destinations and trips: filters, orders, keyset pages."""

import math
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import (
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import ACos, Cast, Coalesce, Cos, Greatest, Least, Radians, Round, Sin

from destinations_service.catalogue.contracts import DestinationQuery, DestinationView, Listed, TripQuery, TripView
from destinations_service.catalogue.domain import MOST_TAGS, Near, check_dates, check_near, check_search
from destinations_service.catalogue.models import Departure, Destination, DestinationTranslation, ExchangeRate
from destinations_service.catalogue.selectors.places import destination_view, destinations, exchange_rates
from destinations_service.catalogue.selectors.trips import trip_view, trips
from shared.errors import Invalid
from shared.money import Money
from shared.pages import ID, Key, instant, number, page, whole

if TYPE_CHECKING:
    from destinations_service.catalogue.selectors.trips import PricedTrip

_EARTH_METRES = 6_371_008.8
_POPULAR = (Key("popularity", whole, descending=True), Key("people", whole, descending=True), ID)


def search_destinations(*, query: DestinationQuery, first: int, after: str) -> Listed[DestinationView]:
    """Return a page of destinations. Raises Invalid naming the malformed field."""
    rows = _filtered(query)
    order = query.order or ("RELEVANCE" if query.search else "POPULARITY")
    rows, keys = _ordered(rows, query, order)
    cut = page(rows, keys=keys, first=first, after=after, kind=f"destinations.{order}")
    views = [destination_view(row, distance_km=_distance_km(row)) for row in cut.rows]
    return Listed(views, cut.cursors, cut.has_next, cut.has_previous, total=rows.count())


def search_trips(*, query: TripQuery, first: int, after: str) -> Listed[TripView]:
    """Return a page of trips. Raises Invalid naming the malformed field."""
    rows, keys, kind = _ordered_trips(_matching_trips(query), query)
    cut = page(rows, keys=keys, first=first, after=after, kind=kind)
    return Listed([trip_view(row) for row in cut.rows], cut.cursors, cut.has_next, cut.has_previous, total=rows.count())


def _matching_trips(query: TripQuery) -> "QuerySet[PricedTrip]":
    """Return the trips that match the filters, without an order."""
    check_dates(after=query.departs_after, before=query.departs_before)
    if query.seats < 0:
        raise Invalid(field="seats")
    rows = trips()
    if query.destination_id:
        below = Destination.objects.filter(Q(id=query.destination_id) | Q(ancestors__contains=[query.destination_id]))
        rows = rows.filter(destination__in=below.values("id"))
    if query.departs_after or query.departs_before or query.seats or query.max_price:
        rows = rows.filter(Exists(_departures(query).filter(trip=OuterRef("pk"))))
    return rows


def _ordered_trips(
    rows: "QuerySet[PricedTrip]", query: TripQuery
) -> "tuple[QuerySet[PricedTrip], tuple[Key, ...], str]":
    """Return the trips with the annotations of their order, the keys of that order, and its name."""
    order = query.order or "POPULARITY"
    if order == "PRICE":
        # Prices are compared in euros, at the latest rates.
        cheapest = Coalesce(
            Subquery(
                _departures(query)
                .filter(trip=OuterRef("pk"))
                .values("trip")
                .annotate(low=Min("adult_price"))
                .values("low")
            ),
            Value(Decimal(10**9)),
        )
        rows = rows.annotate(price_eur=Round(cheapest / _euro_rate("currency"), 4))
        return rows, (Key("price_eur", number), ID), "trips.PRICE"
    if order == "DEPARTURE_DATE":
        soonest = Subquery(_departures(query).filter(trip=OuterRef("pk")).order_by("starts_at").values("starts_at")[:1])
        far = Value(datetime(9000, 1, 1, tzinfo=UTC))
        return rows.annotate(leaves=Coalesce(soonest, far)), (Key("leaves", instant), ID), "trips.DEPARTURE_DATE"
    if order == "DURATION":
        return rows, (Key("duration_days", whole), ID), "trips.DURATION"
    return rows, (Key("popularity", whole, descending=True), ID), "trips.POPULARITY"


def _departures(query: TripQuery) -> QuerySet[Departure]:
    """Return the open departures to come that match the query. Free seats are read from the copy."""
    rows = Departure.objects.filter(status="OPEN", starts_at__gt=datetime.now(UTC))
    if query.departs_after:
        rows = rows.filter(starts_at__gte=datetime.combine(query.departs_after, time(), UTC))
    if query.departs_before:
        rows = rows.filter(starts_at__lt=datetime.combine(query.departs_before, time(), UTC) + timedelta(days=1))
    if query.seats:
        rows = rows.annotate(free_seats=Coalesce("seats_left", "capacity", output_field=IntegerField())).filter(
            free_seats__gte=query.seats
        )
    if query.max_price:
        euros = _euros(query.max_price, field="maxPrice")
        rows = rows.annotate(eur=F("adult_price") / _euro_rate("trip__currency")).filter(eur__lte=euros)
    return rows


def _filtered(query: DestinationQuery) -> QuerySet[Destination]:
    rows: QuerySet[Destination] = destinations().annotate(people=Coalesce("population", Value(0)))
    if query.search and (wanted := check_search(query.search)):
        like = Q(search_text__contains=wanted)
        rows = rows.annotate(
            rank=Cast(Round(TrigramWordSimilarity(wanted, "search_text") * 1000), IntegerField())
        ).filter(like | Q(search_text__trigram_word_similar=wanted))
    elif query.search:
        rows = rows.none()
    if query.kind:
        rows = rows.filter(kind=query.kind)
    if query.country_code:
        if not (len(query.country_code) == 2 and query.country_code.isalpha() and query.country_code.isascii()):
            raise Invalid(field="countryCode")
        rows = rows.filter(country_code=query.country_code.upper())
    if query.parent_id:
        rows = rows.filter(parent_id=query.parent_id)
    if query.tags:
        if len(query.tags) > MOST_TAGS or any(not 0 < len(tag) <= 40 for tag in query.tags):
            raise Invalid(field="tags")
        rows = rows.filter(tags__contains=list(query.tags))
    if query.near:
        rows = _near(rows, check_near(query.near))
    if query.max_daily_cost:
        rows = rows.filter(daily_cost_eur__lte=_euros(query.max_daily_cost, field="maxDailyCost"))
    return rows


def _ordered(
    rows: QuerySet[Destination], query: DestinationQuery, order: str
) -> tuple[QuerySet[Destination], tuple[Key, ...]]:
    if order == "RELEVANCE" and query.search:
        return rows, (Key("rank", whole, descending=True), *_POPULAR)
    if order == "NAME":
        name = DestinationTranslation.objects.filter(destination=OuterRef("pk"), language=query.language).values("name")
        return rows.annotate(sort_name=Coalesce(Subquery(name), F("slug"), output_field=TextField())), (
            Key("sort_name", str),
            ID,
        )
    if order == "DISTANCE":
        if not query.near:
            raise Invalid(field="near")
        return rows, (Key("metres", whole), ID)
    if order == "DAILY_COST":
        return rows.filter(daily_cost_eur__isnull=False), (Key("daily_cost_eur", number), ID)
    return rows, _POPULAR


def _near(rows: QuerySet[Destination], near: Near) -> QuerySet[Destination]:
    """Keep the places in the circle: by a box, which uses the index, then by great-circle distance in whole metres."""
    degrees = near.radius_km / 111.0
    rows = rows.filter(latitude__range=(near.latitude - degrees, near.latitude + degrees))
    widest = math.cos(math.radians(min(89.9, abs(near.latitude) + degrees)))
    if degrees / widest < 180 - abs(near.longitude):
        rows = rows.filter(longitude__range=(near.longitude - degrees / widest, near.longitude + degrees / widest))
    a = math.radians(near.latitude)
    cosine = Sin(Radians(F("latitude"))) * math.sin(a) + Cos(Radians(F("latitude"))) * math.cos(a) * Cos(
        Radians(F("longitude")) - math.radians(near.longitude)
    )
    bounded = Least(Greatest(ExpressionWrapper(cosine, FloatField()), Value(-1.0)), Value(1.0))
    return rows.annotate(metres=Cast(Round(ACos(bounded) * _EARTH_METRES), IntegerField())).filter(
        metres__lte=int(near.radius_km * 1000)
    )


def _distance_km(row: Destination) -> float | None:
    """Return the distance that `_near` measured, None if the search is not near a point."""
    metres = getattr(row, "metres", None)
    return None if metres is None else metres / 1000


def _euro_rate(currency: str) -> Coalesce:
    """Return an expression for the units of a row's currency for one euro. It is 1 if no rate is known."""
    latest = ExchangeRate.objects.filter(currency=OuterRef(currency)).order_by("-as_of").values("rate")[:1]
    return Coalesce(Subquery(latest), Value(Decimal(1)))


def _euros(money: Money, *, field: str) -> Decimal:
    """Return an amount in euros. Raises Invalid for a negative amount or a currency without a rate."""
    if money.amount < 0:
        raise Invalid(field=field)
    if money.currency == "EUR":
        return money.amount
    rate = next((rate.rate for rate in exchange_rates() if rate.currency == money.currency), None)
    if rate is None:
        raise Invalid(field=f"{field}.currency")
    return money.amount / rate
