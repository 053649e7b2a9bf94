"""The types of the catalogue: destinations, photos, prices, trips and departures."""

from collections.abc import Awaitable
from datetime import date

import graphene

from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.loaders import PageKey
from gateway_service.gateway.schema.base import Info, MessageObject, Node, NodeObject, many
from gateway_service.gateway.schema.enums import DepartureStatus, DestinationKind, Locale, PriceCategory, proto_value
from gateway_service.gateway.schema.money import EURO, Money, convert
from gateway_service.gateway.schema.paging import Page, connection, page_from, page_size, paged
from gateway_service.gateway.schema.scalars import Date, DateTime
from shared.errors import Invalid, Unavailable
from shared.money import Money as Amount


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
    def resolve_url(root: destinations_pb2.Photo, info: Info, width: int | None = None) -> str:
        """Return the narrowest rendition that is at least `width` wide, or else the widest.

        Raises Invalid for a width below 1, and Unavailable while the photo has no rendition.
        """
        if width is not None and width < 1:
            raise Invalid(field="width")
        if not root.renditions:
            raise Unavailable(retry_after=1)
        widest = root.renditions[-1]
        wanted = width or widest.width
        return next((rendition.url for rendition in root.renditions if rendition.width >= wanted), widest.url)

    @staticmethod
    def resolve_alt(root: destinations_pb2.Photo, info: Info) -> str | Awaitable[str]:
        return info.context.localized(root.alt)


class AveragePrice(MessageObject):
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
    def resolve_name(
        root: destinations_pb2.Destination, info: Info, locale: Locale | None = None
    ) -> str | Awaitable[str]:
        return info.context.localized(root.name, proto_value(locale))

    @staticmethod
    def resolve_summary(
        root: destinations_pb2.Destination, info: Info, locale: Locale | None = None
    ) -> str | Awaitable[str]:
        return info.context.localized(root.summary, proto_value(locale))

    @staticmethod
    def resolve_description(
        root: destinations_pb2.Destination, info: Info, locale: Locale | None = None
    ) -> str | Awaitable[str]:
        return info.context.localized(root.description, proto_value(locale))

    @staticmethod
    async def resolve_parent(root: destinations_pb2.Destination, info: Info) -> destinations_pb2.Destination | None:
        return await info.context.loaders.destinations.load(root.parent_id) if root.parent_id else None

    @staticmethod
    async def resolve_ancestors(root: destinations_pb2.Destination, info: Info) -> list[destinations_pb2.Destination]:
        ancestors = await info.context.loaders.destinations.load_many(list(root.ancestor_ids))
        return [ancestor for ancestor in ancestors if ancestor is not None]

    @staticmethod
    async def resolve_children(
        root: destinations_pb2.Destination,
        info: Info,
        kind: DestinationKind | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        list_key = ListKey.of("children", root.id, proto_value(kind))
        page_key = PageKey(root.id, (proto_value(kind), page_size(first), list_key.unwrap(after)))
        return page_from(await info.context.loaders.children_of_destination.load(page_key), list_key)

    @staticmethod
    async def resolve_photos(root: destinations_pb2.Destination, info: Info) -> list[destinations_pb2.Photo]:
        return await info.context.loaders.photos_of_destination.load(root.id)

    @staticmethod
    async def resolve_average_prices(
        root: destinations_pb2.Destination, info: Info
    ) -> list[destinations_pb2.AveragePrice]:
        return await info.context.loaders.average_prices_of_destination.load(root.id)

    @staticmethod
    async def resolve_trips(
        root: destinations_pb2.Destination,
        info: Info,
        departs_after: date | None = None,
        departs_before: date | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        list_key = ListKey.of("destination.trips", root.id, departs_after, departs_before)
        page_key = PageKey(
            root.id,
            (iso_or_empty(departs_after), iso_or_empty(departs_before), page_size(first), list_key.unwrap(after)),
        )
        return page_from(await info.context.loaders.trips_of_destination.load(page_key), list_key)


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
    def resolve_title(root: destinations_pb2.Trip, info: Info, locale: Locale | None = None) -> str | Awaitable[str]:
        return info.context.localized(root.title, proto_value(locale))

    @staticmethod
    def resolve_description(
        root: destinations_pb2.Trip, info: Info, locale: Locale | None = None
    ) -> str | Awaitable[str]:
        return info.context.localized(root.description, proto_value(locale))

    @staticmethod
    async def resolve_destination(root: destinations_pb2.Trip, info: Info) -> destinations_pb2.Destination | None:
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
        list_key = ListKey.of("departures", root.id, departs_after, departs_before, bool(only_available))
        page_key = PageKey(
            root.id,
            (
                iso_or_empty(departs_after),
                iso_or_empty(departs_before),
                bool(only_available),
                page_size(first),
                list_key.unwrap(after),
            ),
        )
        return page_from(await info.context.loaders.departures_of_trip.load(page_key), list_key)


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
    async def resolve_trip(root: destinations_pb2.Departure, info: Info) -> destinations_pb2.Trip | None:
        return await info.context.loaders.trips.load(root.trip_id)

    @staticmethod
    async def resolve_converted_adult_price(root: destinations_pb2.Departure, info: Info, currency: str) -> Amount:
        return await convert(root.adult_price, currency, info)

    @staticmethod
    async def resolve_seats_available(root: destinations_pb2.Departure, info: Info) -> int | None:
        return await info.context.loaders.free_seats.load(root.id)


DestinationConnection: type[graphene.ObjectType] = connection("Destination", Destination, counted=True)
TripConnection: type[graphene.ObjectType] = connection("Trip", Trip, counted=True)
DepartureConnection: type[graphene.ObjectType] = connection("Departure", Departure)
