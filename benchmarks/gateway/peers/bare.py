"""The floor: the RPCs of a workload by grpc.aio, without HTTP, GraphQL or an answer to write.

Reads one JSON object for each measurement from stdin, and answers with the milliseconds of each request.
"""

import asyncio
import base64
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from secrets import token_hex
from typing import Any

from benchmarks.gateway.peers.services import Services, traveller_of
from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from contracts.travel.users.v1 import users_pb2


class Bare:
    """The RPCs of each workload, in as few waves as GraphQL's loaders need."""

    def __init__(self, services: Services, plan: dict[str, Any]) -> None:
        self.services = services
        self.plan = plan
        self.travellers: dict[str, str] = {token: traveller_of(token) for token in plan["tokens"]}
        self.turn: Iterator[int] = itertools.count()

    async def me(self) -> None:
        """Read the traveller's account."""
        token = self.plan["tokens"][0]
        answer = await self._call(
            "users", "BatchGetUsers", users_pb2.BatchGetUsersRequest(ids=[self.travellers[token]])
        )
        _check(len(answer.users), 1)

    async def bookings(self) -> None:
        """Read a page of bookings, and what belongs to them."""
        request = bookings_pb2.BatchListBookingsRequest(
            traveller_ids=[self.travellers[self.plan["tokens"][0]]],
            status=bookings_pb2.BOOKING_STATUS_CONFIRMED,
            page=common_pb2.PageRequest(first=self.plan["rows"]),
        )
        page = (await self._call("bookings", "BatchListBookings", request)).pages[0]
        bookings = [edge.node for edge in page.edges]
        departures, invoices = await asyncio.gather(
            self._by_id("BatchGetDepartures", "departures", [booking.departure_id for booking in bookings]),
            self._call(
                "notifications", "BatchListBookingInvoices",
                notifications_pb2.BatchListBookingInvoicesRequest(booking_ids=[booking.id for booking in bookings]),
            ),
        )  # fmt: skip
        trips = await self._by_id("BatchGetTrips", "trips", [row.trip_id for row in departures])
        places = await self._by_id("BatchGetDestinations", "destinations", [row.destination_id for row in trips])
        ids = [place.id for place in places]
        photos = destinations_pb2.BatchListPhotosRequest(destination_ids=ids)
        await asyncio.gather(
            self._by_id("BatchGetDestinations", "destinations", [id for place in places for id in place.ancestor_ids]),
            self._call("destinations", "BatchListPhotos", photos),
        )
        _check(len(invoices.bookings), self.plan["rows"])

    async def search(self) -> None:
        """Search, and read the photos and prices of what was found."""
        request = destinations_pb2.SearchDestinationsRequest(
            search=self.plan["search"], locale=common_pb2.LOCALE_EN, page=common_pb2.PageRequest(first=20)
        )
        found = await self._call("destinations", "SearchDestinations", request)
        ids = [edge.node.id for edge in found.edges]
        await asyncio.gather(
            self._call("destinations", "BatchListPhotos", destinations_pb2.BatchListPhotosRequest(destination_ids=ids)),
            self._call(
                "destinations", "BatchListAveragePrices",
                destinations_pb2.BatchListAveragePricesRequest(destination_ids=ids),
            ),
        )  # fmt: skip
        _check(len(ids), 20)

    async def book(self) -> None:
        """Quote and book."""
        number = next(self.turn)
        token = self.plan["tokens"][number % len(self.plan["tokens"])]
        departure = self.plan["departures"][number % len(self.plan["departures"])]
        raw = base64.b64decode(departure).decode().partition(":")[2]
        quoted = await self._call(
            "bookings", "CreateQuote", bookings_pb2.CreateQuoteRequest(departure_id=raw, adults=1), token
        )
        passenger = bookings_pb2.PassengerInput(
            first_name="Ada", last_name="Byron", kind=bookings_pb2.PASSENGER_KIND_ADULT
        )
        request = bookings_pb2.CreateBookingRequest(
            quote_id=quoted.quote.id, passengers=[passenger], idempotency_key=token_hex(12)
        )
        booked = await self._call("bookings", "CreateBooking", request, token)
        _check(booked.booking.status, bookings_pb2.BOOKING_STATUS_PENDING)

    async def _call(self, service: str, method: str, request: Any, token: str | None = None) -> Any:
        return await self.services.call(service, method, request, token=token or self.plan["tokens"][0])

    async def _by_id(self, method: str, field: str, ids: list[str]) -> list[Any]:
        request = getattr(destinations_pb2, f"{method}Request")(ids=list(dict.fromkeys(ids)))
        return list(getattr(await self._call("destinations", method, request), field))


def _check(value: int, expected: int) -> None:
    if value != expected:
        raise SystemExit(f"bare: {value} is not {expected}")


async def repeat(work: Callable[[], Awaitable[None]], *, connections: int, seconds: float) -> list[float]:
    """Keep `connections` requests under way for `seconds`. Return the milliseconds of each."""
    taken: list[float] = []
    end = time.monotonic() + seconds

    async def loop() -> None:
        while (began := time.monotonic()) < end:
            await work()
            taken.append((time.monotonic() - began) * 1_000)

    await asyncio.gather(*(loop() for _ in range(connections)))
    return taken


async def main() -> None:
    """Answer measurements until stdin ends."""
    services, loop = Services(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        plan = json.loads(line)
        bare = Bare(services, plan)
        work = {"a": bare.me, "b": bare.bookings, "b100": bare.bookings, "c": bare.search, "d": bare.book}[plan["mark"]]
        taken = await repeat(work, connections=plan["connections"], seconds=plan["seconds"])
        print(json.dumps(taken), flush=True)
    await services.close()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
