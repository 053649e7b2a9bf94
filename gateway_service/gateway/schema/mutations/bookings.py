"""Mutations of quotes, bookings and waiting-list entries. Each calls bookings_service."""

import graphene

from contracts.travel.bookings.v1 import bookings_pb2
from gateway_service.gateway.ids import raw_id
from gateway_service.gateway.schema.enums import PassengerKind
from gateway_service.gateway.schema.mutations.payloads import (
    BookingPayload,
    CancellationQuotePayload,
    DonePayload,
    Payload,
    PaymentPayload,
    QuotePayload,
    WaitlistPayload,
    mutation,
)
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.schema.values import Info
from gateway_service.gateway.upstream import grpc
from shared.errors import NotFound


class PassengerInput(graphene.InputObjectType):
    first_name = graphene.String(required=True)
    last_name = graphene.String(required=True)
    kind = PassengerKind(required=True)
    date_of_birth = Date()


class CreateBookingInput(graphene.InputObjectType):
    quote = graphene.ID(required=True)
    passengers = graphene.List(graphene.NonNull(PassengerInput), required=True)
    idempotency_key = graphene.String(required=True)


class PayBookingInput(graphene.InputObjectType):
    reference = graphene.String(required=True)
    payment_method = graphene.String(required=True)
    idempotency_key = graphene.String(required=True)


def known(value: str, type_name: str, field: str) -> str:
    """Return the uuid of a global id. Raises NotFound for a malformed id, as the service does for another traveller's."""
    return raw_id(value, type_name, field, refusal=NotFound)


@mutation(
    QuotePayload,
    "INVALID_PASSENGERS NOT_FOUND DEPARTURE_CLOSED SEATS_UNAVAILABLE UPSTREAM_UNAVAILABLE",
    departure=graphene.ID(required=True),
    adults=graphene.Int(required=True),
    children=graphene.Int(),
    waitlist_entry=graphene.ID(),
)
async def create_quote(
    info: Info, departure: str, adults: int, children: int | None = None, waitlist_entry: str | None = None
) -> Payload:
    """Quote a price for a departure. The quote lasts a quarter of an hour."""
    info.context.owner()
    entry = known(waitlist_entry, "WaitlistEntry", "waitlistEntry") if waitlist_entry is not None else ""
    request = bookings_pb2.CreateQuoteRequest(
        departure_id=known(departure, "Departure", "departure"),
        adults=adults,
        children=children or 0,
        waitlist_entry_id=entry,
    )
    return {"quote": (await info.context.call(grpc.bookings.CreateQuote, request)).quote}


@mutation(
    BookingPayload,
    "EMAIL_NOT_VERIFIED NOT_FOUND QUOTE_EXPIRED QUOTE_USED PASSENGERS_MISMATCH INVALID_PASSENGERS INVALID_NAME"
    " DEPARTURE_CLOSED SEATS_UNAVAILABLE HOLD_LIMIT_REACHED IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_IN_FLIGHT"
    " UPSTREAM_UNAVAILABLE",
    input=CreateBookingInput(required=True),
)
async def create_booking(info: Info, input: CreateBookingInput) -> Payload:
    """Hold the quote's seats and create a booking. The same key returns the same booking."""
    info.context.owner()
    request = bookings_pb2.CreateBookingRequest(
        quote_id=known(input.quote, "Quote", "quote"),
        passengers=[_passenger(passenger) for passenger in input.passengers],
        idempotency_key=input.idempotency_key,
    )
    return {"booking": (await info.context.call(grpc.bookings.CreateBooking, request)).booking}


@mutation(
    PaymentPayload,
    "NOT_FOUND NOT_PAYABLE INVALID_PAYMENT_METHOD PAYMENT_IN_PROGRESS ALREADY_PAID PROVIDER_UNAVAILABLE"
    " IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_IN_FLIGHT",
    input=PayBookingInput(required=True),
)
async def pay_booking(info: Info, input: PayBookingInput) -> Payload:
    """Pay a booking. A declined payment is an answer, not a refusal."""
    info.context.owner()
    request = bookings_pb2.PayBookingRequest(
        reference=input.reference, payment_method=input.payment_method, idempotency_key=input.idempotency_key
    )
    answer = await info.context.call(grpc.bookings.PayBooking, request)
    return {"payment": answer.payment, "booking": answer.booking}


@mutation(
    CancellationQuotePayload,
    "NOT_FOUND NOT_CANCELLABLE",
    reference=graphene.String(required=True),
    passengers=graphene.List(graphene.NonNull(graphene.ID)),
)
async def quote_cancellation(info: Info, reference: str, passengers: list[str] | None = None) -> Payload:
    """Return what a cancellation now would refund."""
    info.context.owner()
    request = bookings_pb2.QuoteCancellationRequest(
        reference=reference, passenger_ids=[known(id, "Passenger", "passengers") for id in passengers or []]
    )
    answer = await info.context.call(grpc.bookings.QuoteCancellation, request)
    return {"cancellation_quote": answer.cancellation_quote}


@mutation(BookingPayload, "NOT_FOUND QUOTE_EXPIRED QUOTE_OUTDATED", cancellation_quote=graphene.ID(required=True))
async def cancel_booking(info: Info, cancellation_quote: str) -> Payload:
    """Cancel and refund as quoted. A repeated request changes nothing."""
    info.context.owner()
    raw = known(cancellation_quote, "CancellationQuote", "cancellationQuote")
    request = bookings_pb2.CancelBookingRequest(cancellation_quote_id=raw)
    return {"booking": (await info.context.call(grpc.bookings.CancelBooking, request)).booking}


@mutation(
    BookingPayload,
    "NOT_FOUND INVALID_NAME NOT_CHANGEABLE",
    id=graphene.ID(required=True),
    first_name=graphene.String(required=True),
    last_name=graphene.String(required=True),
)
async def rename_passenger(info: Info, id: str, first_name: str, last_name: str) -> Payload:
    """Correct a passenger's name."""
    info.context.owner()
    request = bookings_pb2.RenamePassengerRequest(
        passenger_id=known(id, "Passenger", "id"), first_name=first_name, last_name=last_name
    )
    return {"booking": (await info.context.call(grpc.bookings.RenamePassenger, request)).booking}


@mutation(
    WaitlistPayload,
    "NOT_FOUND INVALID_PASSENGERS SEATS_AVAILABLE DEPARTURE_CLOSED",
    departure=graphene.ID(required=True),
    seats=graphene.Int(required=True),
)
async def join_waitlist(info: Info, departure: str, seats: int) -> Payload:
    """Join the waiting list of a full departure."""
    info.context.owner()
    request = bookings_pb2.JoinWaitlistRequest(departure_id=known(departure, "Departure", "departure"), seats=seats)
    return {"entry": (await info.context.call(grpc.bookings.JoinWaitlist, request)).entry}


@mutation(DonePayload, "NOT_FOUND", id=graphene.ID(required=True))
async def leave_waitlist(info: Info, id: str) -> Payload:
    """Leave the waiting list."""
    info.context.owner()
    request = bookings_pb2.LeaveWaitlistRequest(id=known(id, "WaitlistEntry", "id"))
    await info.context.call(grpc.bookings.LeaveWaitlist, request)
    return {}


def _passenger(given: PassengerInput) -> bookings_pb2.PassengerInput:
    born = given.get("date_of_birth")
    return bookings_pb2.PassengerInput(
        first_name=given.first_name,
        last_name=given.last_name,
        kind=given.kind.value,
        date_of_birth=born.isoformat() if born else "",
    )
