"""The schema's roots and the ASGI application: `uvicorn benchmarks.gateway.peers.strawberry_peer.app:app`."""

import asyncio
from typing import Any

import grpc
import jwt
import orjson
import strawberry
from fastapi import FastAPI, HTTPException, Request
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.fastapi import BaseContext, GraphQLRouter
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from benchmarks.gateway.peers.services import Services, traveller_of
from benchmarks.gateway.peers.strawberry_peer.loaders import Loaders
from benchmarks.gateway.peers.strawberry_peer.types import (
    SCALARS,
    Booking,
    BookingStatus,
    Destination,
    Locale,
    PassengerKind,
    Quote,
    global_id,
    raw_id,
)
from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2

services: list[Services] = []


class Context(BaseContext):
    """The traveller and the loaders of one request."""

    def __init__(self, token: str, traveller: str) -> None:
        super().__init__()
        self.token, self.traveller = token, traveller
        self.loaders = Loaders(services[0], token)

    async def call(self, service: str, method: str, message: Any) -> Any:
        """Call a service for the traveller."""
        return await services[0].call(service, method, message, token=self.token)


async def context_of(request: Request) -> Context:
    """Return the context of a request."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        return Context(token, traveller_of(token))
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@strawberry.type
class Profile:
    first_name: str
    last_name: str
    locale: Locale
    currency: str
    time_zone: str


@strawberry.type
class BookingEdge:
    node: Booking


@strawberry.type
class BookingConnection:
    edges: list[BookingEdge]


@strawberry.type
class User:
    id: strawberry.ID

    @strawberry.field
    async def email(self, info: Info) -> str | None:
        return str((await info.context.loaders.users.load(info.context.traveller)).email)

    @strawberry.field
    async def profile(self, info: Info) -> Profile | None:
        row = (await info.context.loaders.users.load(info.context.traveller)).profile
        return Profile(
            first_name=row.first_name, last_name=row.last_name, locale=Locale(row.locale), currency=row.currency,
            time_zone=row.time_zone,
        )  # fmt: skip

    @strawberry.field
    async def bookings(
        self, info: Info, status: BookingStatus | None = None, first: int = 20, after: str | None = None
    ) -> BookingConnection:
        request = bookings_pb2.BatchListBookingsRequest(
            traveller_ids=[info.context.traveller], status=status.value if status else 0,
            page=common_pb2.PageRequest(first=first, after=after or ""),
        )  # fmt: skip
        page = (await info.context.call("bookings", "BatchListBookings", request)).pages[0]
        return BookingConnection(edges=[BookingEdge(node=Booking.of(edge.node)) for edge in page.edges])


@strawberry.type
class DestinationEdge:
    node: Destination


@strawberry.type
class DestinationConnection:
    total_count: int
    edges: list[DestinationEdge]


@strawberry.type
class Query:
    @strawberry.field
    def me(self, info: Info) -> User | None:
        return User(id=global_id("User", info.context.traveller))

    @strawberry.field
    async def destinations(self, info: Info, search: str = "", first: int = 20) -> DestinationConnection:
        request = destinations_pb2.SearchDestinationsRequest(
            search=search, locale=common_pb2.LOCALE_EN, page=common_pb2.PageRequest(first=first)
        )
        answer = await info.context.call("destinations", "SearchDestinations", request)
        edges = [DestinationEdge(node=Destination.of(edge.node)) for edge in answer.edges]
        return DestinationConnection(total_count=answer.total_count, edges=edges)


@strawberry.type
class UserError:
    code: str
    message: str


@strawberry.type
class QuotePayload:
    quote: Quote | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class BookingPayload:
    booking: Booking | None = None
    errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class PassengerInput:
    first_name: str
    last_name: str
    kind: PassengerKind


@strawberry.input
class CreateBookingInput:
    quote: strawberry.ID
    passengers: list[PassengerInput]
    idempotency_key: str


def refusal(error: grpc.aio.AioRpcError) -> list[UserError]:
    return [UserError(code=error.code().name, message=error.details() or "")]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def create_quote(self, info: Info, departure: strawberry.ID, adults: int) -> QuotePayload:
        request = bookings_pb2.CreateQuoteRequest(departure_id=raw_id(departure), adults=adults)
        try:
            return QuotePayload(quote=Quote.of((await info.context.call("bookings", "CreateQuote", request)).quote))
        except grpc.aio.AioRpcError as error:
            return QuotePayload(errors=refusal(error))

    @strawberry.mutation
    async def create_booking(self, info: Info, input: CreateBookingInput) -> BookingPayload:
        passengers = [
            bookings_pb2.PassengerInput(first_name=each.first_name, last_name=each.last_name, kind=each.kind.value)
            for each in input.passengers
        ]
        request = bookings_pb2.CreateBookingRequest(
            quote_id=raw_id(input.quote), passengers=passengers, idempotency_key=input.idempotency_key
        )
        try:
            answer = await info.context.call("bookings", "CreateBooking", request)
        except grpc.aio.AioRpcError as error:
            return BookingPayload(errors=refusal(error))
        return BookingPayload(booking=Booking.of(answer.booking))


class Router(GraphQLRouter[Context, None]):
    """Answers by orjson, as Strawberry's documentation shows."""

    def encode_json(self, data: object) -> bytes:
        """Return the JSON of an answer."""
        return orjson.dumps(data)


async def open_services(_: FastAPI) -> Any:
    """Open the channels while the application runs."""
    services.append(Services())
    try:
        yield
    finally:
        await asyncio.gather(*(each.close() for each in services))


schema = strawberry.Schema(
    query=Query, mutation=Mutation, extensions=[ParserCache(maxsize=500), ValidationCache(maxsize=500)],
    config=StrawberryConfig(scalar_map=SCALARS),
)  # fmt: skip
app = FastAPI(lifespan=open_services, docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(Router(schema, context_getter=context_of, graphql_ide=None), prefix="/graphql")
