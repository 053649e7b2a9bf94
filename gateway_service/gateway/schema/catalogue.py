"""The types of the catalogue: destinations, photos, prices, trips and departures."""

from collections.abc import Awaitable, Sequence
from datetime import date

import graphene

from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.loaders import PageKey
from gateway_service.gateway.schema.base import Info, MessageObject, Node, NodeObject, many
from gateway_service.gateway.schema.columns import Column, ColumnResolver, load_lists, mapped
from gateway_service.gateway.schema.enums import DepartureStatus, DestinationKind, Locale, PriceCategory, proto_value
from gateway_service.gateway.schema.money import EURO, Money, convert
from gateway_service.gateway.schema.paging import connection, page_from, page_size, paged
from gateway_service.gateway.schema.scalars import Date, DateTime
from shared.errors import Invalid, Unavailable


def iso_or_empty(day: date | None) -> str:
    """Return `day` as YYYY-MM-DD, or an empty text for None, as the services expect it."""
    return day.isoformat() if day else ""


class Photo(MessageObject):
    url = graphene.String(required=True, width=graphene.Int())
    alt = graphene.String(required=True)
    credit = graphene.String(required=True)
    license = graphene.String(required=True)
    width = graphene.Int(required=True)
    height = graphene.Int(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_url(roots: Sequence[destinations_pb2.Photo], info: Info, width: int | None = None) -> Column:
        """Return the address of each photo's rendition for `width`. Raises Invalid for a width below 1."""
        if width is not None and width < 1:
            raise Invalid(field="width")
        return [_url(root, width) for root in roots]

    @staticmethod
    @ColumnResolver
    def resolve_alt(roots: Sequence[destinations_pb2.Photo], info: Info) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.alt for root in roots])


def _url(photo: destinations_pb2.Photo, width: int | None) -> str | Unavailable:
    """Return the address of the narrowest rendition that is at least `width` wide, or else of the widest.

    Return Unavailable while the photo has no rendition.
    """
    renditions = photo.renditions
    if not renditions:
        return Unavailable(retry_after=1)
    if width:
        for rendition in renditions:
            if rendition.width >= width:
                return rendition.url
    return renditions[-1].url


class AveragePrice(MessageObject):
    category = PriceCategory(required=True)
    price = graphene.Field(Money, required=True)
    converted = graphene.Field(Money, currency=graphene.String(required=True))
    as_of = Date(required=True)
    source = graphene.String(required=True)
    rate_date = Date()

    @staticmethod
    @ColumnResolver
    async def resolve_converted(roots: Sequence[destinations_pb2.AveragePrice], info: Info, currency: str) -> Column:
        return await convert([root.price for root in roots], currency, info)

    @staticmethod
    @ColumnResolver
    async def resolve_rate_date(roots: Sequence[destinations_pb2.AveragePrice], info: Info) -> list[str | None]:
        rates = await info.context.loaders.exchange_rates.load(EURO)
        some_rate = next(iter(rates.values()), None)
        of_prices = [rates.get(root.price.currency_code) or some_rate for root in roots]
        return [rate.as_of if rate else None for rate in of_prices]


class Destination(NodeObject):
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
    @ColumnResolver
    def resolve_name(
        roots: Sequence[destinations_pb2.Destination], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.name for root in roots], proto_value(locale))

    @staticmethod
    @ColumnResolver
    def resolve_summary(
        roots: Sequence[destinations_pb2.Destination], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.summary for root in roots], proto_value(locale))

    @staticmethod
    @ColumnResolver
    def resolve_description(
        roots: Sequence[destinations_pb2.Destination], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.description for root in roots], proto_value(locale))

    @staticmethod
    @ColumnResolver
    def resolve_parent(roots: Sequence[destinations_pb2.Destination], info: Info) -> Column | Awaitable[Column]:
        parents = [[root.parent_id] if root.parent_id else [] for root in roots]
        return mapped(load_lists(info.context.loaders.destinations, parents), lambda rows: rows[0] if rows else None)

    @staticmethod
    @ColumnResolver
    def resolve_ancestors(roots: Sequence[destinations_pb2.Destination], info: Info) -> Column | Awaitable[Column]:
        return load_lists(info.context.loaders.destinations, [root.ancestor_ids for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_children(
        roots: Sequence[destinations_pb2.Destination],
        info: Info,
        kind: DestinationKind | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Column | Awaitable[Column]:
        list_keys = [ListKey.of("children", root.id, proto_value(kind)) for root in roots]
        page_keys = [
            PageKey(root.id, (proto_value(kind), page_size(first), list_key.unwrap(after)))
            for root, list_key in zip(roots, list_keys, strict=True)
        ]
        return mapped(info.context.loaders.children_of_destination.get(page_keys), page_from, list_keys)

    @staticmethod
    @ColumnResolver
    def resolve_photos(roots: Sequence[destinations_pb2.Destination], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.photos_of_destination.get([root.id for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_average_prices(roots: Sequence[destinations_pb2.Destination], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.average_prices_of_destination.get([root.id for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_trips(
        roots: Sequence[destinations_pb2.Destination],
        info: Info,
        departs_after: date | None = None,
        departs_before: date | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Column | Awaitable[Column]:
        since, until = iso_or_empty(departs_after), iso_or_empty(departs_before)
        list_keys = [ListKey.of("destination.trips", root.id, departs_after, departs_before) for root in roots]
        page_keys = [
            PageKey(root.id, (since, until, page_size(first), list_key.unwrap(after)))
            for root, list_key in zip(roots, list_keys, strict=True)
        ]
        return mapped(info.context.loaders.trips_of_destination.get(page_keys), page_from, list_keys)


class CancellationRule(MessageObject):
    days_before = graphene.Int(required=True)
    refund_percent = graphene.Int(required=True)


class Trip(NodeObject):
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
    @ColumnResolver
    def resolve_title(
        roots: Sequence[destinations_pb2.Trip], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.title for root in roots], proto_value(locale))

    @staticmethod
    @ColumnResolver
    def resolve_description(
        roots: Sequence[destinations_pb2.Trip], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.description for root in roots], proto_value(locale))

    @staticmethod
    @ColumnResolver
    def resolve_destination(roots: Sequence[destinations_pb2.Trip], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.destinations.get([root.destination_id for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_departures(
        roots: Sequence[destinations_pb2.Trip],
        info: Info,
        departs_after: date | None = None,
        departs_before: date | None = None,
        only_available: bool | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Column | Awaitable[Column]:
        since, until, available = iso_or_empty(departs_after), iso_or_empty(departs_before), bool(only_available)
        list_keys = [ListKey.of("departures", root.id, departs_after, departs_before, available) for root in roots]
        page_keys = [
            PageKey(root.id, (since, until, available, page_size(first), list_key.unwrap(after)))
            for root, list_key in zip(roots, list_keys, strict=True)
        ]
        return mapped(info.context.loaders.departures_of_trip.get(page_keys), page_from, list_keys)


class Departure(NodeObject):
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
    @ColumnResolver
    def resolve_trip(roots: Sequence[destinations_pb2.Departure], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.trips.get([root.trip_id for root in roots])

    @staticmethod
    @ColumnResolver
    async def resolve_converted_adult_price(
        roots: Sequence[destinations_pb2.Departure], info: Info, currency: str
    ) -> Column:
        return await convert([root.adult_price for root in roots], currency, info)

    @staticmethod
    @ColumnResolver
    def resolve_seats_available(roots: Sequence[destinations_pb2.Departure], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.free_seats.get([root.id for root in roots])


DestinationConnection: type[graphene.ObjectType] = connection("Destination", Destination, counted=True)
TripConnection: type[graphene.ObjectType] = connection("Trip", Trip, counted=True)
DepartureConnection: type[graphene.ObjectType] = connection("Departure", Departure)
