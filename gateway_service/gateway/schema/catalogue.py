"""The types of the catalogue: destinations, photos, prices, trips and departures."""

from collections.abc import Awaitable, Sequence
from datetime import date

import graphene

from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.ids import ListKey
from gateway_service.gateway.operation.context import in_language
from gateway_service.gateway.operation.loaders import PageKey
from gateway_service.gateway.schema.base import Info, MessageObject, Node, NodeObject, many
from gateway_service.gateway.schema.columns import Column, ColumnResolver, load_lists, mapped
from gateway_service.gateway.schema.enums import DepartureStatus, DestinationKind, Locale, proto_value
from gateway_service.gateway.schema.money import Money, convert
from gateway_service.gateway.schema.paging import connection, page_from, page_size, paged
from gateway_service.gateway.schema.place_parts import AveragePrice, OpeningHours, Photo, Season
from gateway_service.gateway.schema.scalars import Date, DateTime
from shared.rpc.mapping import locale_from_proto


def iso_or_empty(day: date | None) -> str:
    """Return `day` as YYYY-MM-DD, or an empty text for None, as the services expect it."""
    return day.isoformat() if day else ""


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
    currency = graphene.String(required=True)
    opening_hours = many(OpeningHours)
    season = graphene.Field(Season)
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
    def resolve_currency(roots: Sequence[destinations_pb2.Destination], info: Info) -> list[str]:
        return [root.currency_code for root in roots]

    @staticmethod
    @ColumnResolver
    def resolve_opening_hours(roots: Sequence[destinations_pb2.Destination], info: Info) -> Column | Awaitable[Column]:
        times = info.context.loaders.visiting_times_of_destination.get([root.id for root in roots])
        return mapped(times, lambda row: row.opening_hours if row else [])

    @staticmethod
    @ColumnResolver
    def resolve_season(roots: Sequence[destinations_pb2.Destination], info: Info) -> Column | Awaitable[Column]:
        return mapped(info.context.loaders.visiting_times_of_destination.get([root.id for root in roots]), _season)

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


def _season(times: destinations_pb2.VisitingTimes | None) -> dict[str, int] | None:
    if times is None or not times.season_from_month:
        return None
    return {"from_month": times.season_from_month, "to_month": times.season_to_month}


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
    photos = many(Photo)
    itinerary = many(lambda: ItineraryDay)
    included = graphene.List(graphene.NonNull(graphene.String), required=True, locale=Locale())
    excluded = graphene.List(graphene.NonNull(graphene.String), required=True, locale=Locale())
    meeting_point = graphene.Field(lambda: MeetingPoint)
    maximum_group = graphene.Int()
    minimum_group = graphene.Int()
    languages = many(graphene.String)
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
    def resolve_photos(roots: Sequence[destinations_pb2.Trip], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.photos_of_trip.get([root.id for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_itinerary(roots: Sequence[destinations_pb2.Trip], info: Info) -> Column | Awaitable[Column]:
        return mapped(_contents(roots, info), lambda content: content.itinerary if content else [])

    @staticmethod
    @ColumnResolver
    async def resolve_included(
        roots: Sequence[destinations_pb2.Trip], info: Info, locale: Locale | None = None
    ) -> Column:
        return await _lines(roots, info, "included", locale)

    @staticmethod
    @ColumnResolver
    async def resolve_excluded(
        roots: Sequence[destinations_pb2.Trip], info: Info, locale: Locale | None = None
    ) -> Column:
        return await _lines(roots, info, "excluded", locale)

    @staticmethod
    @ColumnResolver
    def resolve_meeting_point(roots: Sequence[destinations_pb2.Trip], info: Info) -> Column | Awaitable[Column]:
        return mapped(_contents(roots, info), _meeting_point)

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


class ItineraryDay(MessageObject):
    day = graphene.Int(required=True)
    title = graphene.String(required=True, locale=Locale())
    description = graphene.String(required=True, locale=Locale())
    destination = graphene.Field(Destination)

    @staticmethod
    @ColumnResolver
    def resolve_title(
        roots: Sequence[destinations_pb2.ItineraryDay], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.title for root in roots], proto_value(locale))

    @staticmethod
    @ColumnResolver
    def resolve_description(
        roots: Sequence[destinations_pb2.ItineraryDay], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.description for root in roots], proto_value(locale))

    @staticmethod
    @ColumnResolver
    def resolve_destination(roots: Sequence[destinations_pb2.ItineraryDay], info: Info) -> Column | Awaitable[Column]:
        places = [[root.destination_id] if root.destination_id else [] for root in roots]
        return mapped(load_lists(info.context.loaders.destinations, places), lambda rows: rows[0] if rows else None)


class MeetingPoint(MessageObject):
    name = graphene.String(required=True, locale=Locale())
    latitude = graphene.Float()
    longitude = graphene.Float()

    @staticmethod
    @ColumnResolver
    def resolve_name(
        roots: Sequence[destinations_pb2.MeetingPoint], info: Info, locale: Locale | None = None
    ) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.name for root in roots], proto_value(locale))


def _contents(roots: Sequence[destinations_pb2.Trip], info: Info) -> Column | Awaitable[Column]:
    return info.context.loaders.content_of_trip.get([root.id for root in roots])


def _meeting_point(content: destinations_pb2.TripContent | None) -> destinations_pb2.MeetingPoint | None:
    return content.meeting_point if content and content.HasField("meeting_point") else None


async def _lines(roots: Sequence[destinations_pb2.Trip], info: Info, name: str, locale: Locale | None) -> Column:
    """Return the lines of each trip in one language. An exception of a trip stays in its place."""
    contents = _contents(roots, info)
    rows = await contents if isinstance(contents, Awaitable) else contents
    language = locale_from_proto(proto_value(locale)) if locale else await info.context.locale()
    return [
        row if isinstance(row, Exception) else in_language(getattr(row, name), language) if row else [] for row in rows
    ]


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
    bookable_from = DateTime()
    bookable_until = DateTime(required=True)
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
