"""The DataLoaders of one request."""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from strawberry.dataloader import DataLoader

from benchmarks.gateway.peers.services import Services
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from contracts.travel.users.v1 import users_pb2

MAX_BATCH: Final = 500


@dataclass
class Loaders:
    """Each loader is made when it is first used."""

    services: Services
    token: str

    @cached_property
    def users(self) -> DataLoader[str, Any]:
        """Users by id."""
        return self._by_id("users", "BatchGetUsers", users_pb2.BatchGetUsersRequest, "users")

    @cached_property
    def departures(self) -> DataLoader[str, Any]:
        """Departures by id."""
        return self._by_id(
            "destinations", "BatchGetDepartures", destinations_pb2.BatchGetDeparturesRequest, "departures"
        )

    @cached_property
    def trips(self) -> DataLoader[str, Any]:
        """Trips by id."""
        return self._by_id("destinations", "BatchGetTrips", destinations_pb2.BatchGetTripsRequest, "trips")

    @cached_property
    def destinations(self) -> DataLoader[str, Any]:
        """Destinations by id."""
        return self._by_id(
            "destinations", "BatchGetDestinations", destinations_pb2.BatchGetDestinationsRequest, "destinations"
        )

    @cached_property
    def photos(self) -> DataLoader[str, list[Any]]:
        """The photos of a destination."""

        async def load(ids: list[str]) -> Sequence[list[Any]]:
            request = destinations_pb2.BatchListPhotosRequest(destination_ids=ids)
            photos = defaultdict(list)
            for photo in (await self._call("destinations", "BatchListPhotos", request)).photos:
                photos[photo.destination_id].append(photo)
            return [photos[key] for key in ids]

        return _loader(load)

    @cached_property
    def average_prices(self) -> DataLoader[str, list[Any]]:
        """The average prices of a destination."""

        async def load(ids: list[str]) -> Sequence[list[Any]]:
            request = destinations_pb2.BatchListAveragePricesRequest(destination_ids=ids)
            answer = await self._call("destinations", "BatchListAveragePrices", request)
            prices = {row.destination_id: row.prices for row in answer.destinations}
            return [prices.get(key, []) for key in ids]

        return _loader(load)

    @cached_property
    def invoices(self) -> DataLoader[str, list[Any]]:
        """The invoices of a booking."""

        async def load(ids: list[str]) -> Sequence[list[Any]]:
            request = notifications_pb2.BatchListBookingInvoicesRequest(booking_ids=ids)
            answer = await self._call("notifications", "BatchListBookingInvoices", request)
            invoices = {row.booking_id: row.invoices for row in answer.bookings}
            return [invoices.get(key, []) for key in ids]

        return _loader(load)

    async def _call(self, service: str, method: str, request: Any) -> Any:
        return await self.services.call(service, method, request, token=self.token)

    def _by_id(self, service: str, method: str, request: Callable[..., Any], field: str) -> DataLoader[str, Any]:
        async def load(ids: list[str]) -> Sequence[Any]:
            rows = {row.id: row for row in getattr(await self._call(service, method, request(ids=ids)), field)}
            return [rows.get(key) for key in ids]

        return _loader(load)


def _loader(load: Callable[[list[str]], Coroutine[Any, Any, Sequence[Any]]]) -> DataLoader[str, Any]:
    return DataLoader(load_fn=load, max_batch_size=MAX_BATCH)
