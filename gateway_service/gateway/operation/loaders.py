"""Batched reads of one operation: objects of one kind are read together, at most MAX_BATCH in one RPC.

`await loader.load(key)` reads one object. For many objects at once, `loader.get(keys)` costs less: it returns a list if
every row is known, and an awaitable of the list otherwise. See `batching.Loader`.

Rows of the catalogue come from the process's `CatalogueCache` if it has them.
"""

from __future__ import annotations  # grpc's classes are generic only in their type stubs (.pyi)

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from contracts.travel.users.v1 import users_pb2
from gateway_service.gateway.operation.batching import Loader
from gateway_service.gateway.operation.catalogue_cache import Kind, Read, catalogue_cache
from gateway_service.gateway.operation.requests import date_range, page_request, rows_in_order
from gateway_service.gateway.upstream import stubs
from shared.deadline import Deadline

Request = TypeVar("Request")
Response = TypeVar("Response")
Key = TypeVar("Key")
Row = TypeVar("Row")
Arguments = TypeVar("Arguments")

if TYPE_CHECKING:  # generated enums have a ValueType only in their type stubs (.pyi)
    from grpc.aio import UnaryUnaryMultiCallable

    BookingsArguments = tuple[
        bookings_pb2.BookingStatus.ValueType,
        bookings_pb2.BookingTime.ValueType,
        bookings_pb2.BookingOrder.ValueType,
        int,
        str,
    ]
    ChildrenArguments = tuple[destinations_pb2.DestinationKind.ValueType, int, str]


class Caller(Protocol):
    """The type of `Operation`. This module must not import it, because `context` imports this module."""

    @property
    def deadline(self) -> Deadline:
        """The deadline of the operation."""

    async def call(self, method: UnaryUnaryMultiCallable[Request, Response], request: Request) -> Response:
        """Return the response of `method` to the traveller."""

    async def call_for_all(self, method: UnaryUnaryMultiCallable[Request, Response], request: Request) -> Response:
        """Return the response of `method` to nobody in particular, whatever the operation's deadline is."""


@dataclass(frozen=True, slots=True)
class PageKey(Generic[Arguments]):
    """One page of a parent's list. Keys with equal `arguments` share one RPC, even if their parents differ."""

    parent: str
    arguments: Arguments


class Loaders:
    """All loaders of one operation. Each is created when it is first used."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._call = caller.call

    @cached_property
    def users(self) -> Loader[str, users_pb2.User | None]:
        """Users by id; None for a user that the traveller may not see."""

        async def batch(ids: list[str]) -> list[users_pb2.User | None]:
            answer = await self._call(stubs.users.BatchGetUsers, users_pb2.BatchGetUsersRequest(ids=ids))
            return rows_in_order(ids, answer.users, lambda row: row.id)

        return Loader(batch)

    @cached_property
    def destinations(self) -> Loader[str, destinations_pb2.Destination | None]:
        """Destinations by id."""

        async def read(ids: list[str]) -> dict[str, destinations_pb2.Destination]:
            request = destinations_pb2.BatchGetDestinationsRequest(ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchGetDestinations, request)
            return {row.id: row for row in answer.destinations}

        return self._catalogue_loader(Kind.PLACE, read)

    @cached_property
    def trips(self) -> Loader[str, destinations_pb2.Trip | None]:
        """Trips by id."""

        async def read(ids: list[str]) -> dict[str, destinations_pb2.Trip]:
            request = destinations_pb2.BatchGetTripsRequest(ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchGetTrips, request)
            return {row.id: row for row in answer.trips}

        return self._catalogue_loader(Kind.TRIP, read)

    @cached_property
    def departures(self) -> Loader[str, destinations_pb2.Departure | None]:
        """Departures by id."""

        async def read(ids: list[str]) -> dict[str, destinations_pb2.Departure]:
            request = destinations_pb2.BatchGetDeparturesRequest(ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchGetDepartures, request)
            return {row.id: row for row in answer.departures}

        return self._catalogue_loader(Kind.DEPARTURE, read)

    @cached_property
    def bookings(self) -> Loader[str, bookings_pb2.Booking | None]:
        """The traveller's bookings by id."""

        async def batch(ids: list[str]) -> list[bookings_pb2.Booking | None]:
            answer = await self._call(stubs.bookings.BatchGetBookings, bookings_pb2.BatchGetBookingsRequest(ids=ids))
            return rows_in_order(ids, answer.bookings, lambda row: row.id)

        return Loader(batch)

    @cached_property
    def children_of_destination(
        self,
    ) -> Loader[PageKey[ChildrenArguments], destinations_pb2.DestinationPage | None]:
        """A page of a destination's children, by PageKey(id, (kind, first, after))."""

        async def read(parents: list[str], arguments: ChildrenArguments) -> Iterable[destinations_pb2.DestinationPage]:
            kind, first, after = arguments
            request = destinations_pb2.BatchListChildrenRequest(
                parent_ids=parents, kind=kind, page=page_request(first, after)
            )
            return (await self._call(stubs.destinations.BatchListChildren, request)).pages

        return _page_loader(read, lambda row: row.parent_id)

    @cached_property
    def trips_of_destination(self) -> Loader[PageKey[tuple[str, str, int, str]], destinations_pb2.TripPage | None]:
        """A page of a destination's trips, by PageKey(id, (since, until, first, after))."""

        async def read(parents: list[str], arguments: tuple[str, str, int, str]) -> Iterable[destinations_pb2.TripPage]:
            since, until, first, after = arguments
            request = destinations_pb2.BatchListTripsRequest(
                destination_ids=parents, departs=date_range(since, until), page=page_request(first, after)
            )
            return (await self._call(stubs.destinations.BatchListTrips, request)).pages

        return _page_loader(read, lambda row: row.destination_id)

    @cached_property
    def departures_of_trip(
        self,
    ) -> Loader[PageKey[tuple[str, str, bool, int, str]], destinations_pb2.DeparturePage | None]:
        """A page of a trip's departures, by PageKey(id, (since, until, only_available, first, after))."""

        async def read(
            parents: list[str], arguments: tuple[str, str, bool, int, str]
        ) -> Iterable[destinations_pb2.DeparturePage]:
            since, until, only_available, first, after = arguments
            request = destinations_pb2.BatchListDeparturesRequest(
                trip_ids=parents,
                departs=date_range(since, until),
                only_available=only_available,
                page=page_request(first, after),
            )
            return (await self._call(stubs.destinations.BatchListDepartures, request)).pages

        return _page_loader(read, lambda row: row.trip_id)

    @cached_property
    def bookings_of_traveller(self) -> Loader[PageKey[BookingsArguments], bookings_pb2.BookingPage | None]:
        """A page of a traveller's bookings, by PageKey(id, (status, time, order, first, after))."""

        async def read(parents: list[str], arguments: BookingsArguments) -> Iterable[bookings_pb2.BookingPage]:
            status, time, order, first, after = arguments
            request = bookings_pb2.BatchListBookingsRequest(
                traveller_ids=parents, status=status, time=time, order_by=order, page=page_request(first, after)
            )
            return (await self._call(stubs.bookings.BatchListBookings, request)).pages

        return _page_loader(read, lambda row: row.traveller_id)

    @cached_property
    def waitlist_of_traveller(self) -> Loader[str, list[bookings_pb2.WaitlistEntry]]:
        """A traveller's waiting-list entries, newest first, by the traveller's id."""

        async def batch(ids: list[str]) -> list[list[bookings_pb2.WaitlistEntry]]:
            request = bookings_pb2.BatchListWaitlistRequest(traveller_ids=ids)
            answer = await self._call(stubs.bookings.BatchListWaitlist, request)
            entries = {row.traveller_id: list(row.entries) for row in answer.waitlists}
            return [entries.get(key, []) for key in ids]

        return Loader(batch)

    @cached_property
    def notifications_of_traveller(
        self,
    ) -> Loader[PageKey[tuple[int, str]], notifications_pb2.NotificationPage | None]:
        """A page of the notifications to a traveller, by PageKey(id, (first, after))."""

        async def read(parents: list[str], arguments: tuple[int, str]) -> Iterable[notifications_pb2.NotificationPage]:
            request = notifications_pb2.BatchListNotificationsRequest(person_ids=parents, page=page_request(*arguments))
            return (await self._call(stubs.notifications.BatchListNotifications, request)).pages

        return _page_loader(read, lambda row: row.person_id)

    @cached_property
    def invoices_of_traveller(self) -> Loader[PageKey[tuple[int, str]], notifications_pb2.InvoicePage | None]:
        """A page of a traveller's invoices and credit notes, by PageKey(id, (first, after))."""

        async def read(parents: list[str], arguments: tuple[int, str]) -> Iterable[notifications_pb2.InvoicePage]:
            request = notifications_pb2.BatchListInvoicesRequest(person_ids=parents, page=page_request(*arguments))
            return (await self._call(stubs.notifications.BatchListInvoices, request)).pages

        return _page_loader(read, lambda row: row.person_id)

    @cached_property
    def sessions_of_traveller(self) -> Loader[str, list[users_pb2.Session]]:
        """A traveller's open sessions, last used first, by the traveller's id."""

        async def batch(ids: list[str]) -> list[list[users_pb2.Session]]:
            request = users_pb2.BatchListSessionsRequest(traveller_ids=ids)
            answer = await self._call(stubs.users.BatchListSessions, request)
            sessions = {row.traveller_id: list(row.sessions) for row in answer.lists}
            return [sessions.get(key, []) for key in ids]

        return Loader(batch)

    @cached_property
    def security_events_of_traveller(
        self,
    ) -> Loader[PageKey[tuple[int, str]], users_pb2.SecurityEventPage | None]:
        """A page of what happened to a traveller's account, by PageKey(id, (first, after))."""

        async def read(parents: list[str], arguments: tuple[int, str]) -> Iterable[users_pb2.SecurityEventPage]:
            request = users_pb2.BatchListSecurityEventsRequest(traveller_ids=parents, page=page_request(*arguments))
            return (await self._call(stubs.users.BatchListSecurityEvents, request)).pages

        return _page_loader(read, lambda row: row.traveller_id)

    @cached_property
    def photos_of_destination(self) -> Loader[str, list[destinations_pb2.Photo]]:
        """The photos of a destination, by its id."""

        async def read(ids: list[str]) -> dict[str, list[destinations_pb2.Photo]]:
            request = destinations_pb2.BatchListPhotosRequest(destination_ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchListPhotos, request)
            photos: dict[str, list[destinations_pb2.Photo]] = {id: [] for id in ids}
            for photo in answer.photos:
                photos[photo.destination_id].append(photo)
            return photos

        return self._catalogue_loader(Kind.PHOTOS, read)

    @cached_property
    def photos_of_trip(self) -> Loader[str, list[destinations_pb2.Photo]]:
        """The photos of a trip, by its id."""

        async def read(ids: list[str]) -> dict[str, list[destinations_pb2.Photo]]:
            request = destinations_pb2.BatchListPhotosRequest(trip_ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchListPhotos, request)
            photos: dict[str, list[destinations_pb2.Photo]] = {id: [] for id in ids}
            for photo in answer.photos:
                photos[photo.trip_id].append(photo)
            return photos

        return self._catalogue_loader(Kind.TRIP_PHOTOS, read)

    @cached_property
    def content_of_trip(self) -> Loader[str, destinations_pb2.TripContent | None]:
        """What the page of a trip shows and a list does not, by the trip's id."""

        async def read(ids: list[str]) -> dict[str, destinations_pb2.TripContent]:
            request = destinations_pb2.BatchGetTripContentsRequest(trip_ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchGetTripContents, request)
            return {row.trip_id: row for row in answer.contents}

        return self._catalogue_loader(Kind.CONTENT, read)

    @cached_property
    def visiting_times_of_destination(self) -> Loader[str, destinations_pb2.VisitingTimes | None]:
        """When a destination is open and worth a visit, by its id."""

        async def read(ids: list[str]) -> dict[str, destinations_pb2.VisitingTimes]:
            request = destinations_pb2.BatchGetVisitingTimesRequest(destination_ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchGetVisitingTimes, request)
            return {row.destination_id: row for row in answer.visiting_times}

        return self._catalogue_loader(Kind.VISITS, read)

    @cached_property
    def average_prices_of_destination(self) -> Loader[str, list[destinations_pb2.AveragePrice]]:
        """The average prices of a destination, by its id."""

        async def read(ids: list[str]) -> dict[str, list[destinations_pb2.AveragePrice]]:
            request = destinations_pb2.BatchListAveragePricesRequest(destination_ids=ids)
            answer = await self._caller.call_for_all(stubs.destinations.BatchListAveragePrices, request)
            return {id: [] for id in ids} | {row.destination_id: list(row.prices) for row in answer.destinations}

        return self._catalogue_loader(Kind.PRICES, read)

    @cached_property
    def free_seats(self) -> Loader[str, int | None]:
        """Free seats, by departure id; None for a departure without an inventory."""

        async def batch(ids: list[str]) -> list[int | None]:
            request = bookings_pb2.BatchGetAvailabilityRequest(departure_ids=ids)
            answer = await self._call(stubs.bookings.BatchGetAvailability, request)
            seats = {row.departure_id: row.seats_available for row in answer.availabilities}
            return [seats.get(key) for key in ids]

        return Loader(batch)

    @cached_property
    def history_of_booking(self) -> Loader[PageKey[int], bookings_pb2.BookingHistory | None]:
        """The history of a booking after a sequence, by PageKey(booking id, sequence)."""

        async def read(parents: list[str], sequence: int) -> Iterable[bookings_pb2.BookingHistory]:
            request = bookings_pb2.BatchListBookingEventsRequest(booking_ids=parents, after_sequence=sequence)
            return (await self._call(stubs.bookings.BatchListBookingEvents, request)).histories

        return _page_loader(read, lambda row: row.booking_id)

    @cached_property
    def invoices_of_booking(self) -> Loader[str, list[notifications_pb2.Invoice]]:
        """The invoices and credit notes of a booking, by its id, oldest first."""

        async def batch(ids: list[str]) -> list[list[notifications_pb2.Invoice]]:
            request = notifications_pb2.BatchListBookingInvoicesRequest(booking_ids=ids)
            answer = await self._call(stubs.notifications.BatchListBookingInvoices, request)
            invoices = {row.booking_id: list(row.invoices) for row in answer.bookings}
            return [invoices.get(key, []) for key in ids]

        return Loader(batch)

    @cached_property
    def exchange_rates(self) -> Loader[str, dict[str, destinations_pb2.ExchangeRate]]:
        """A loader with one key, `EURO`. Its value maps each currency to its rate against the euro."""

        async def read(ids: list[str]) -> dict[str, dict[str, destinations_pb2.ExchangeRate]]:
            request = destinations_pb2.ListExchangeRatesRequest()
            answer = await self._caller.call_for_all(stubs.destinations.ListExchangeRates, request)
            return {id: {rate.currency_code: rate for rate in answer.rates} for id in ids}

        return self._catalogue_loader(Kind.RATES, read)

    def _catalogue_loader(self, kind: Kind, read: Read[Row]) -> Loader[str, Any]:
        """Return a loader of rows that the process's cache keeps by id."""
        cache = catalogue_cache()

        async def batch(ids: list[str]) -> list[Row | Exception | None]:
            return await cache.rows(kind, ids, read, self._caller.deadline)

        return Loader(batch, recall=partial(cache.get, kind))


def _page_loader(
    read: Callable[[list[str], Arguments], Awaitable[Iterable[Row]]], parent_of: Callable[[Row], str]
) -> Loader[PageKey[Arguments], Row | None]:
    """Return a loader of pages. It calls `read` once for all parents with the same arguments."""

    async def batch(keys: list[PageKey[Arguments]]) -> list[Row | None]:
        pages: dict[PageKey[Arguments], Row] = {}
        for arguments in dict.fromkeys(key.arguments for key in keys):
            parents = [key.parent for key in keys if key.arguments == arguments]
            pages.update({PageKey(parent_of(row), arguments): row for row in await read(parents, arguments)})
        return [pages.get(key) for key in keys]

    return Loader(batch)
