"""Batched reads of one operation: a hundred rows that want the same kind of thing cost one RPC."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiodataloader import DataLoader

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from contracts.travel.users.v1 import users_pb2

if TYPE_CHECKING:
    from gateway_service.gateway.operation.context import Operation

MAX_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a parent's list: `parent` varies within a batch, `arguments` do not."""

    parent: str
    arguments: tuple[Any, ...] = ()


class Loaders:
    """Every loader of one operation, each made when first wanted."""

    def __init__(self, operation: "Operation") -> None:
        self._operation = operation
        self._made: dict[str, DataLoader[Any, Any]] = {}

    def _loader(self, name: str, batch: Callable[[Sequence[Any]], Awaitable[list[Any]]]) -> DataLoader[Any, Any]:
        loader = self._made.get(name)
        if loader is None:

            async def load(keys: list[Any]) -> list[Any]:
                return await batch(keys)

            loader = self._made[name] = DataLoader(load, max_batch_size=MAX_BATCH)
        return loader

    def _by_id(self, name: str, service: str, method: str, request: Callable[..., Any], rows: str) -> Any:
        async def batch(ids: Sequence[str]) -> list[Any]:
            answer = await self._operation.call(service, method, request(ids=ids))
            return in_order(ids, getattr(answer, rows), lambda row: row.id)

        return self._loader(name, batch)

    def _pages(
        self, name: str, service: str, method: str, request: Callable[[list[str], tuple[Any, ...]], Any], parent: str
    ) -> Any:
        async def batch(keys: Sequence[Listed]) -> list[Any]:
            found: dict[Listed, Any] = {}
            for arguments in dict.fromkeys(key.arguments for key in keys):
                parents = [key.parent for key in keys if key.arguments == arguments]
                answer = await self._operation.call(service, method, request(parents, arguments))
                found.update({Listed(getattr(page, parent), arguments): page for page in answer.pages})
            return [found.get(key) for key in keys]

        return self._loader(name, batch)

    @property
    def users(self) -> Any:
        """Users by id; one that is not the traveller's to see is None."""
        return self._by_id("users", "users", "BatchGetUsers", users_pb2.BatchGetUsersRequest, "users")

    @property
    def destinations(self) -> Any:
        """Destinations by id."""
        request = destinations_pb2.BatchGetDestinationsRequest
        return self._by_id("destinations", "destinations", "BatchGetDestinations", request, "destinations")

    @property
    def trips(self) -> Any:
        """Trips by id."""
        return self._by_id("trips", "destinations", "BatchGetTrips", destinations_pb2.BatchGetTripsRequest, "trips")

    @property
    def departures(self) -> Any:
        """Departures by id."""
        request = destinations_pb2.BatchGetDeparturesRequest
        return self._by_id("departures", "destinations", "BatchGetDepartures", request, "departures")

    @property
    def bookings(self) -> Any:
        """The traveller's bookings by id."""
        return self._by_id("bookings", "bookings", "BatchGetBookings", bookings_pb2.BatchGetBookingsRequest, "bookings")

    @property
    def children(self) -> Any:
        """A page of a destination's children, by Listed(id, (kind, first, after))."""

        def request(parents: list[str], arguments: tuple[Any, ...]) -> destinations_pb2.BatchListChildrenRequest:
            kind, first, after = arguments
            return destinations_pb2.BatchListChildrenRequest(parent_ids=parents, kind=kind, page=page(first, after))

        return self._pages("children", "destinations", "BatchListChildren", request, "parent_id")

    @property
    def trips_of(self) -> Any:
        """A page of a destination's trips, by Listed(id, (from, until, first, after))."""

        def request(parents: list[str], arguments: tuple[Any, ...]) -> destinations_pb2.BatchListTripsRequest:
            since, until, first, after = arguments
            return destinations_pb2.BatchListTripsRequest(
                destination_ids=parents, departs=dates(since, until), page=page(first, after)
            )

        return self._pages("trips_of", "destinations", "BatchListTrips", request, "destination_id")

    @property
    def departures_of(self) -> Any:
        """A page of a trip's departures, by Listed(id, (from, until, only available, first, after))."""

        def request(parents: list[str], arguments: tuple[Any, ...]) -> destinations_pb2.BatchListDeparturesRequest:
            since, until, only_available, first, after = arguments
            return destinations_pb2.BatchListDeparturesRequest(
                trip_ids=parents,
                departs=dates(since, until),
                only_available=only_available,
                page=page(first, after),
            )

        return self._pages("departures_of", "destinations", "BatchListDepartures", request, "trip_id")

    @property
    def bookings_of(self) -> Any:
        """A page of a traveller's bookings, by Listed(id, (status, time, order, first, after))."""

        def request(parents: list[str], arguments: tuple[Any, ...]) -> bookings_pb2.BatchListBookingsRequest:
            status, time, order, first, after = arguments
            return bookings_pb2.BatchListBookingsRequest(
                traveller_ids=parents, status=status, time=time, order_by=order, page=page(first, after)
            )

        return self._pages("bookings_of", "bookings", "BatchListBookings", request, "traveller_id")

    @property
    def waitlist_of(self) -> Any:
        """A traveller's places in line, newest first, by the traveller's id."""

        async def batch(ids: Sequence[str]) -> list[Any]:
            request = bookings_pb2.BatchListWaitlistRequest(traveller_ids=ids)
            answer = await self._operation.call("bookings", "BatchListWaitlist", request)
            found = {one.traveller_id: list(one.entries) for one in answer.waitlists}
            return [found.get(key, []) for key in ids]

        return self._loader("waitlist_of", batch)

    @property
    def notifications_of(self) -> Any:
        """A page of what a person was sent, by Listed(id, (first, after))."""

        def request(parents: list[str], arguments: tuple[Any, ...]) -> notifications_pb2.BatchListNotificationsRequest:
            return notifications_pb2.BatchListNotificationsRequest(person_ids=parents, page=page(*arguments))

        return self._pages("notifications_of", "notifications", "BatchListNotifications", request, "person_id")

    @property
    def invoices_of(self) -> Any:
        """A page of a person's invoices, by Listed(id, (first, after))."""

        def request(parents: list[str], arguments: tuple[Any, ...]) -> notifications_pb2.BatchListInvoicesRequest:
            return notifications_pb2.BatchListInvoicesRequest(person_ids=parents, page=page(*arguments))

        return self._pages("invoices_of", "notifications", "BatchListInvoices", request, "person_id")

    @property
    def photos(self) -> Any:
        """The photos of a destination, by its id."""

        async def batch(ids: Sequence[str]) -> list[Any]:
            request = destinations_pb2.BatchListPhotosRequest(destination_ids=ids)
            answer = await self._operation.call("destinations", "BatchListPhotos", request)
            return [[photo for photo in answer.photos if photo.destination_id == key] for key in ids]

        return self._loader("photos", batch)

    @property
    def average_prices(self) -> Any:
        """The average prices of a destination, by its id."""

        async def batch(ids: Sequence[str]) -> list[Any]:
            request = destinations_pb2.BatchListAveragePricesRequest(destination_ids=ids)
            answer = await self._operation.call("destinations", "BatchListAveragePrices", request)
            found = {one.destination_id: list(one.prices) for one in answer.destinations}
            return [found.get(key, []) for key in ids]

        return self._loader("average_prices", batch)

    @property
    def seats_available(self) -> Any:
        """Seats that can be held now, by departure id; None for a departure without an inventory."""

        async def batch(ids: Sequence[str]) -> list[Any]:
            request = bookings_pb2.BatchGetAvailabilityRequest(departure_ids=ids)
            answer = await self._operation.call("bookings", "BatchGetAvailability", request)
            found = {one.departure_id: one.seats_available for one in answer.availabilities}
            return [found.get(key) for key in ids]

        return self._loader("seats_available", batch)

    @property
    def history(self) -> Any:
        """The events of a booking after a sequence, by Listed(booking id, (sequence,))."""

        async def batch(keys: Sequence[Listed]) -> list[Any]:
            found: dict[Listed, Any] = {}
            for arguments in dict.fromkeys(key.arguments for key in keys):
                request = bookings_pb2.BatchListBookingEventsRequest(
                    booking_ids=[key.parent for key in keys if key.arguments == arguments], after_sequence=arguments[0]
                )
                answer = await self._operation.call("bookings", "BatchListBookingEvents", request)
                found.update({Listed(one.booking_id, arguments): list(one.events) for one in answer.histories})
            return [found.get(key, []) for key in keys]

        return self._loader("history", batch)

    @property
    def booking_invoices(self) -> Any:
        """The invoices and credit notes of a booking, by its id, oldest first."""

        async def batch(ids: Sequence[str]) -> list[Any]:
            request = notifications_pb2.BatchListBookingInvoicesRequest(booking_ids=ids)
            answer = await self._operation.call("notifications", "BatchListBookingInvoices", request)
            found = {one.booking_id: list(one.invoices) for one in answer.bookings}
            return [found.get(key, []) for key in ids]

        return self._loader("booking_invoices", batch)

    @property
    def exchange_rates(self) -> Any:
        """All rates against a base by currency, by the base: the euro."""

        async def batch(bases: Sequence[str]) -> list[Any]:
            answer = await self._operation.call(
                "destinations", "ListExchangeRates", destinations_pb2.ListExchangeRatesRequest()
            )
            return [{rate.currency_code: rate for rate in answer.rates}] * len(bases)

        return self._loader("exchange_rates", batch)


def page(first: int, after: str) -> common_pb2.PageRequest:
    """Return the page request of `first` rows after a service's cursor."""
    return common_pb2.PageRequest(first=first, after=after)


def dates(since: str, until: str) -> common_pb2.DateRange | None:
    """Return the inclusive range of ISO dates, None where neither end is given."""
    return common_pb2.DateRange(**{"from": since, "until": until}) if since or until else None


def in_order(keys: Sequence[str], rows: Iterable[Any], key_of: Callable[[Any], str]) -> list[Any]:
    """Return the row of each key, None where there is none."""
    found: Mapping[str, Any] = {key_of(row): row for row in rows}
    return [found.get(key) for key in keys]
