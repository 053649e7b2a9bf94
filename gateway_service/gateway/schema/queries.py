"""The fields of Query, and how `node` reads each type."""

from __future__ import annotations  # grpc's classes are generic only in their type stubs (.pyi)

from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, Final, TypeVar

import graphene
from google.protobuf.message import Message

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.ids import ListKey, parse_global_id, raw_id
from gateway_service.gateway.operation.loaders import Loaders
from gateway_service.gateway.operation.requests import date_range, page_request, rows_in_order
from gateway_service.gateway.schema.base import HasId, Info, Node
from gateway_service.gateway.schema.bookings import Booking, Quote
from gateway_service.gateway.schema.catalogue import (
    Destination,
    DestinationConnection,
    Trip,
    TripConnection,
    iso_or_empty,
)
from gateway_service.gateway.schema.enums import DestinationKind, DestinationOrder, TripOrder, proto_value
from gateway_service.gateway.schema.money import MoneyInput, money_from_input
from gateway_service.gateway.schema.paging import Page, page_from, page_size, paged
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.schema.search import SearchQueries
from gateway_service.gateway.schema.user_ref import UserRef
from gateway_service.gateway.schema.users import User
from gateway_service.gateway.upstream import stubs
from shared.errors import Invalid, NotFound
from shared.rpc.mapping import locale_to_proto

if TYPE_CHECKING:
    from gateway_service.gateway.operation.batching import Loader

NodeRow = TypeVar("NodeRow", bound=HasId)
Row = TypeVar("Row", bound=Message)


class NearInput(graphene.InputObjectType):
    latitude = graphene.Float(required=True)
    longitude = graphene.Float(required=True)
    radius_km = graphene.Float(required=True)


def near_from_input(near: NearInput | None) -> destinations_pb2.Near | None:
    """Return the circle to search in, or None for None. Raises Invalid for coordinates or a radius out of range."""
    if near is None:
        return None
    limits = (("latitude", near.latitude, -90, 90), ("longitude", near.longitude, -180, 180))
    for name, value, low, high in limits:
        if not low <= value <= high:
            raise Invalid(field=f"near.{name}")
    if not 0 < near.radius_km <= 20_100:
        raise Invalid(field="near.radiusKm")
    return destinations_pb2.Near(latitude=near.latitude, longitude=near.longitude, radius_km=near.radius_km)


class Query(SearchQueries, graphene.ObjectType):
    node = graphene.Field(Node, id=graphene.ID(required=True))
    me = graphene.Field(User)
    destinations = paged(
        DestinationConnection,
        search=graphene.String(),
        kind=DestinationKind(),
        country_code=graphene.String(),
        parent=graphene.ID(),
        tags=graphene.List(graphene.NonNull(graphene.String)),
        near=NearInput(),
        max_daily_cost=MoneyInput(),
        order_by=DestinationOrder(),
    )
    destination = graphene.Field(Destination, id=graphene.ID(), slug=graphene.String())
    trips = paged(
        TripConnection,
        destination=graphene.ID(),
        departs_after=Date(),
        departs_before=Date(),
        seats=graphene.Int(),
        max_price=MoneyInput(),
        order_by=TripOrder(),
    )
    trip = graphene.Field(Trip, id=graphene.ID(), slug=graphene.String())
    booking = graphene.Field(Booking, reference=graphene.String(required=True))
    quote = graphene.Field(Quote, id=graphene.ID(required=True))

    @staticmethod
    async def resolve_node(_root: None, info: Info, id: str) -> Message | UserRef | None:
        parsed = parse_global_id(id)
        if parsed is None or (read := _NODES.get(parsed[0])) is None:
            return None
        try:
            return await read(info, parsed[1])
        except NotFound:
            return None

    @staticmethod
    def resolve_me(_root: None, info: Info) -> UserRef | None:
        traveller = info.context.traveller
        return UserRef(str(traveller.id)) if traveller else None

    @staticmethod
    async def resolve_destinations(
        _root: None,
        info: Info,
        search: str | None = None,
        kind: DestinationKind | None = None,
        country_code: str | None = None,
        parent: str | None = None,
        tags: list[str] | None = None,
        near: NearInput | None = None,
        max_daily_cost: MoneyInput | None = None,
        order_by: DestinationOrder | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        locale = await info.context.locale()
        request = destinations_pb2.SearchDestinationsRequest(
            search=search or "",
            kind=proto_value(kind),
            country_code=country_code or "",
            parent_id=raw_id(parent, "Destination", "parent") if parent is not None else "",
            tags=tags or [],
            near=near_from_input(near),
            max_daily_cost=money_from_input(max_daily_cost, "maxDailyCost"),
            order_by=proto_value(order_by),
            locale=locale_to_proto(locale),
        )
        list_key = ListKey.of("destinations", request.SerializeToString(deterministic=True))
        request.page.CopyFrom(page_request(page_size(first), list_key.unwrap(after)))
        answer = await info.context.call(stubs.destinations.SearchDestinations, request)
        return page_from(answer, list_key)

    @staticmethod
    async def resolve_destination(
        _root: None, info: Info, id: str | None = None, slug: str | None = None
    ) -> destinations_pb2.Destination | None:
        if raw := _id_unless_slug(id, slug, "Destination"):
            return await info.context.loaders.destinations.load(raw)
        request = destinations_pb2.BatchGetDestinationsRequest(slugs=[slug or ""])
        answer = await info.context.call(stubs.destinations.BatchGetDestinations, request)
        return next(iter(answer.destinations), None)  # an earlier slug finds a row, which has another one now

    @staticmethod
    async def resolve_trips(
        _root: None,
        info: Info,
        destination: str | None = None,
        departs_after: date | None = None,
        departs_before: date | None = None,
        seats: int | None = None,
        max_price: MoneyInput | None = None,
        order_by: TripOrder | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> Page:
        if seats is not None and seats < 1:
            raise Invalid(field="seats")
        request = destinations_pb2.SearchTripsRequest(
            destination_id=raw_id(destination, "Destination", "destination") if destination is not None else "",
            departs=date_range(iso_or_empty(departs_after), iso_or_empty(departs_before)),
            seats=seats or 0,
            max_price=money_from_input(max_price, "maxPrice"),
            order_by=proto_value(order_by),
        )
        list_key = ListKey.of("trips", request.SerializeToString(deterministic=True))
        request.page.CopyFrom(page_request(page_size(first), list_key.unwrap(after)))
        answer = await info.context.call(stubs.destinations.SearchTrips, request)
        return page_from(answer, list_key)

    @staticmethod
    async def resolve_trip(
        _root: None, info: Info, id: str | None = None, slug: str | None = None
    ) -> destinations_pb2.Trip | None:
        if raw := _id_unless_slug(id, slug, "Trip"):
            return await info.context.loaders.trips.load(raw)
        request = destinations_pb2.BatchGetTripsRequest(slugs=[slug or ""])
        answer = await info.context.call(stubs.destinations.BatchGetTrips, request)
        return next(iter(answer.trips), None)  # an earlier slug finds a row, which has another one now

    @staticmethod
    async def resolve_booking(_root: None, info: Info, reference: str) -> bookings_pb2.Booking | None:
        info.context.signed_in_traveller()
        try:
            request = bookings_pb2.GetBookingRequest(reference=reference)
            answer = await info.context.call(stubs.bookings.GetBooking, request)
        except NotFound:
            return None
        return answer.booking

    @staticmethod
    async def resolve_quote(_root: None, info: Info, id: str) -> bookings_pb2.Quote | None:
        info.context.signed_in_traveller()
        return await _quote(info, raw_id(id, "Quote", "id"))


def _id_unless_slug(id: str | None, slug: str | None, type_name: str) -> str | None:
    """Return the uuid in `id`, or None if only `slug` is given. Raises Invalid unless exactly one is given."""
    if (id is None) == (slug is None):
        raise Invalid(field="id")
    return raw_id(id, type_name, "id") if id is not None else None


if TYPE_CHECKING:
    ReadNode = Callable[[Info, str], Awaitable[Message | UserRef | None]]


def _signed_in_only(read: ReadNode) -> ReadNode:
    """Return a function that calls `read` if somebody is signed in, and otherwise returns None."""

    async def guarded(info: Info, raw: str) -> Message | UserRef | None:
        return await read(info, raw) if info.context.traveller else None

    return guarded


async def _user(info: Info, raw: str) -> UserRef | None:
    return UserRef(raw) if raw == str(info.context.signed_in_traveller().id) else None


async def _quote(info: Info, raw: str) -> bookings_pb2.Quote | None:
    try:
        return (await info.context.call(stubs.bookings.GetQuote, bookings_pb2.GetQuoteRequest(id=raw))).quote
    except NotFound:
        return None


async def _cancellation_quote(info: Info, raw: str) -> bookings_pb2.CancellationQuote:
    request = bookings_pb2.GetCancellationQuoteRequest(id=raw)
    return (await info.context.call(stubs.bookings.GetCancellationQuote, request)).cancellation_quote


async def _payment(info: Info, raw: str) -> bookings_pb2.Payment | None:
    request = bookings_pb2.BatchGetPaymentsRequest(ids=[raw])
    return _only((await info.context.call(stubs.bookings.BatchGetPayments, request)).payments, raw)


async def _refund(info: Info, raw: str) -> bookings_pb2.Refund | None:
    request = bookings_pb2.BatchGetRefundsRequest(ids=[raw])
    return _only((await info.context.call(stubs.bookings.BatchGetRefunds, request)).refunds, raw)


async def _waitlist_entry(info: Info, raw: str) -> bookings_pb2.WaitlistEntry | None:
    request = bookings_pb2.BatchGetWaitlistEntriesRequest(ids=[raw])
    return _only((await info.context.call(stubs.bookings.BatchGetWaitlistEntries, request)).entries, raw)


async def _notification(info: Info, raw: str) -> notifications_pb2.Notification | None:
    request = notifications_pb2.BatchGetNotificationsRequest(ids=[raw])
    return _only((await info.context.call(stubs.notifications.BatchGetNotifications, request)).notifications, raw)


async def _invoice(info: Info, raw: str) -> notifications_pb2.Invoice | None:
    request = notifications_pb2.BatchGetInvoicesRequest(ids=[raw])
    return _only((await info.context.call(stubs.notifications.BatchGetInvoices, request)).invoices, raw)


async def _session(info: Info, raw: str) -> users_pb2.Session | None:
    mine = str(info.context.signed_in_traveller().id)
    return _only(await info.context.loaders.sessions_of_traveller.load(mine), raw)


def _only(rows: Iterable[NodeRow], raw: str) -> NodeRow | None:
    return rows_in_order([raw], rows, lambda row: row.id)[0]


def _loaded(loader: Callable[[Loaders], Loader[str, Row | None]]) -> ReadNode:
    async def read(info: Info, raw: str) -> Row | None:
        return await loader(info.context.loaders).load(raw)

    return read


_NODES: Final[dict[str, ReadNode]] = {
    "User": _signed_in_only(_user),
    "Destination": _loaded(lambda loaders: loaders.destinations),
    "Trip": _loaded(lambda loaders: loaders.trips),
    "Departure": _loaded(lambda loaders: loaders.departures),
    "Quote": _signed_in_only(_quote),
    "Booking": _signed_in_only(_loaded(lambda loaders: loaders.bookings)),
    "CancellationQuote": _signed_in_only(_cancellation_quote),
    "Payment": _signed_in_only(_payment),
    "Refund": _signed_in_only(_refund),
    "WaitlistEntry": _signed_in_only(_waitlist_entry),
    "Notification": _signed_in_only(_notification),
    "Invoice": _signed_in_only(_invoice),
    "Session": _signed_in_only(_session),
}
