"""The catalogue as travellers see it: destinations, photos, prices, trips and departures."""

from collections.abc import Awaitable
from datetime import date
from decimal import Decimal as PyDecimal
from typing import Any

import graphene

from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.loaders import Listed
from gateway_service.gateway.schema.enums import DepartureStatus, DestinationKind, PriceCategory, number
from gateway_service.gateway.schema.scalars import Date, DateTime
from gateway_service.gateway.schema.values import (
    Identified,
    Info,
    Locale,
    Money,
    Node,
    Page,
    Shown,
    connection,
    empty_page,
    first_of,
    many,
    page_from,
    paged,
)
from shared.errors import Invalid, Unavailable
from shared.money import Money as Amount
from shared.rpc.mapping import money_from_proto

EURO = "EUR"


def iso(day: date | None) -> str:
    """Return a date as the services take it; empty where there is none."""
    return day.isoformat() if day else ""


async def convert(money: common_pb2.Money, currency: str, info: Info) -> Amount:
    """Return `money` in `currency` at the latest rates. Raises Invalid for a currency without one."""
    rates = await info.context.loaders.exchange_rates.load(EURO)
    try:
        rate = _per_euro(rates, currency) / _per_euro(rates, money.currency_code)
    except KeyError:
        raise Invalid(field="currency") from None
    return money_from_proto(money).convert(rate, currency)


def _per_euro(rates: dict[str, Any], currency: str) -> PyDecimal:
    return PyDecimal(1) if currency == EURO else PyDecimal(rates[currency].rate)


class Photo(Shown):
    url = graphene.String(required=True, width=graphene.Int())
    alt = graphene.String(required=True)
    credit = graphene.String(required=True)
    license = graphene.String(required=True)
    width = graphene.Int(required=True)
    height = graphene.Int(required=True)

    @staticmethod
    def resolve_url(root: destinations_pb2.Photo, info: Info, width: int | None = None) -> str:
        """Return the narrowest rendition at least `width` wide, else the widest there is."""
        if width is not None and width < 1:
            raise Invalid(field="width")
        if not root.renditions:
            raise Unavailable(retry_after=1)
        wanted = width or root.renditions[-1].width
        return next((one.url for one in root.renditions if one.width >= wanted), root.renditions[-1].url)

    @staticmethod
    def resolve_alt(root: destinations_pb2.Photo, info: Info) -> str | Awaitable[str]:
        return info.context.localized(root.alt)


class AveragePrice(Shown):
    category = PriceCategory(required=True)
    price = graphene.Field(Money, required=True)
    converted = graphene.Field(Money, currency=graphene.String(required=True))
    as_of = Date(required=True)
    source = graphene.String(required=True)
    rate_date = Date()

    @staticmethod
    async def resolve_converted(root: destinations_pb2.AveragePrice, info: Info, currency: str) -> Amount:
        return await convert(root.price, currency, info)

    @staticmethod
    async def resolve_rate_date(root: destinations_pb2.AveragePrice, info: Info) -> str | None:
        rates = await info.context.loaders.exchange_rates.load(EURO)
        rate = rates.get(root.price.currency_code) or next(iter(rates.values()), None)
        return rate.as_of if rate else None


class Destination(Identified):
    class Meta:
        interfaces = (Node,)

    slug = graphene.String(required=True)
    kind = DestinationKind(required=True)
    name = graphene.String(required=True, locale=Locale())
    summary = graphene.String(required=True, locale=Locale())
    description = graphene.String(required=True, locale=Locale())
    parent = graphene.Field(lambda: Destination)
    ancestors = many(lambda: Destination)
    children = paged(lambda: DestinationConnection, required=True, kind=DestinationKind())
    country_code = graphene.String(required=True)
    latitude = graphene.Float()
    longitude = graphene.Float()
    time_zone = graphene.String()
    population = graphene.Int()
    tags = many(graphene.String)
    photos = many(Photo)
    average_prices = many(AveragePrice)
    distance_km = graphene.Float()
    trips = paged(lambda: TripConnection, required=True, departs_after=Date(), departs_before=Date())

    @staticmethod
    def resolve_name(root: destinations_pb2.Destination, info: Info, locale: Any = None) -> str | Awaitable[str]:
        return info.context.localized(root.name, number(locale))

    @staticmethod
    def resolve_summary(root: destinations_pb2.Destination, info: Info, locale: Any = None) -> str | Awaitable[str]:
        return info.context.localized(root.summary, number(locale))

    @staticmethod
    def resolve_description(root: destinations_pb2.Destination, info: Info, locale: Any = None) -> str | Awaitable[str]:
        return info.context.localized(root.description, number(locale))

    @staticmethod
    async def resolve_parent(root: destinations_pb2.Destination, info: Info) -> Any:
        return await info.context.loaders.destinations.load(root.parent_id) if root.parent_id else None

    @staticmethod
    async def resolve_ancestors(root: destinations_pb2.Destination, info: Info) -> list[Any]:
        found = await info.context.loaders.destinations.load_many(list(root.ancestor_ids))
        return [one for one in found if one is not None]

    @staticmethod
    async def resolve_children(
        root: destinations_pb2.Destination,
        info: Info,
        kind: Any = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        key = ListKey.of("children", root.id, number(kind))
        listed = Listed(root.id, (number(kind), first_of(first), key.unwrap(after)))
        answer = await info.context.loaders.children.load(listed)
        return page_from(answer, key) if answer else empty_page()

    @staticmethod
    async def resolve_photos(root: destinations_pb2.Destination, info: Info) -> list[Any]:
        return await info.context.loaders.photos.load(root.id)

    @staticmethod
    async def resolve_average_prices(root: destinations_pb2.Destination, info: Info) -> list[Any]:
        return await info.context.loaders.average_prices.load(root.id)

    @staticmethod
    async def resolve_trips(
        root: destinations_pb2.Destination,
        info: Info,
        departs_after: date | None = None,
        departs_before: date | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        key = ListKey.of("destination.trips", root.id, departs_after, departs_before)
        listed = Listed(root.id, (iso(departs_after), iso(departs_before), first_of(first), key.unwrap(after)))
        answer = await info.context.loaders.trips_of.load(listed)
        return page_from(answer, key) if answer else empty_page()


class CancellationRule(Shown):
    days_before = graphene.Int(required=True)
    refund_percent = graphene.Int(required=True)


class Trip(Identified):
    class Meta:
        interfaces = (Node,)

    slug = graphene.String(required=True)
    title = graphene.String(required=True, locale=Locale())
    description = graphene.String(required=True, locale=Locale())
    destination = graphene.Field(Destination, required=True)
    duration_days = graphene.Int(required=True)
    from_price = graphene.Field(Money)
    cancellation_policy = many(CancellationRule)
    departures = paged(
        lambda: DepartureConnection,
        required=True,
        departs_after=Date(),
        departs_before=Date(),
        only_available=graphene.Boolean(),
    )

    @staticmethod
    def resolve_title(root: destinations_pb2.Trip, info: Info, locale: Any = None) -> str | Awaitable[str]:
        return info.context.localized(root.title, number(locale))

    @staticmethod
    def resolve_description(root: destinations_pb2.Trip, info: Info, locale: Any = None) -> str | Awaitable[str]:
        return info.context.localized(root.description, number(locale))

    @staticmethod
    async def resolve_destination(root: destinations_pb2.Trip, info: Info) -> Any:
        return await info.context.loaders.destinations.load(root.destination_id)

    @staticmethod
    async def resolve_departures(
        root: destinations_pb2.Trip,
        info: Info,
        departs_after: date | None = None,
        departs_before: date | None = None,
        only_available: bool | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        key = ListKey.of("departures", root.id, departs_after, departs_before, bool(only_available))
        listed = Listed(
            root.id,
            (iso(departs_after), iso(departs_before), bool(only_available), first_of(first), key.unwrap(after)),
        )
        answer = await info.context.loaders.departures_of.load(listed)
        return page_from(answer, key) if answer else empty_page()


class Departure(Identified):
    class Meta:
        interfaces = (Node,)

    trip = graphene.Field(Trip, required=True)
    starts_at = DateTime(required=True)
    ends_at = DateTime(required=True)
    time_zone = graphene.String(required=True)
    status = DepartureStatus(required=True)
    adult_price = graphene.Field(Money, required=True)
    child_price = graphene.Field(Money, required=True)
    converted_adult_price = graphene.Field(Money, currency=graphene.String(required=True))
    capacity = graphene.Int(required=True)
    seats_available = graphene.Int()

    @staticmethod
    async def resolve_trip(root: destinations_pb2.Departure, info: Info) -> Any:
        return await info.context.loaders.trips.load(root.trip_id)

    @staticmethod
    async def resolve_converted_adult_price(root: destinations_pb2.Departure, info: Info, currency: str) -> Amount:
        return await convert(root.adult_price, currency, info)

    @staticmethod
    async def resolve_seats_available(root: destinations_pb2.Departure, info: Info) -> int | None:
        return await info.context.loaders.seats_available.load(root.id)


DestinationConnection: type[graphene.ObjectType] = connection("Destination", Destination, counted=True)
TripConnection: type[graphene.ObjectType] = connection("Trip", Trip, counted=True)
DepartureConnection: type[graphene.ObjectType] = connection("Departure", Departure)
