"""Mutations of quotes, bookings, payments and waiting-list entries. Each calls bookings_service."""

import graphene

from contracts.travel.bookings.v1 import bookings_pb2
from gateway_service.gateway.ids import raw_id
from gateway_service.gateway.schema.base import Info
from gateway_service.gateway.schema.enums import PassengerKind
from gateway_service.gateway.schema.mutations.field import Payload, mutation
from gateway_service.gateway.schema.mutations.payloads import (
    BookingPayload,
    CancellationQuotePayload,
    DonePayload,
    PaymentPayload,
    QuotePayload,
    WaitlistPayload,
)
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.upstream import stubs
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


def uuid_or_not_found(value: str, type_name: str, field: str) -> str:
    """Return the uuid in a global id of `type_name`.

    Raises NotFound for any other value, as bookings_service does for an unknown id.
    """
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
    """Quote a price for a departure. The quote is valid until its `expiresAt`."""
    info.context.signed_in_traveller()
    entry = uuid_or_not_found(waitlist_entry, "WaitlistEntry", "waitlistEntry") if waitlist_entry is not None else ""
    request = bookings_pb2.CreateQuoteRequest(
        departure_id=uuid_or_not_found(departure, "Departure", "departure"),
        adults=adults,
        children=children or 0,
        waitlist_entry_id=entry,
    )
    return {"quote": (await info.context.call(stubs.bookings.CreateQuote, request)).quote}


@mutation(
    BookingPayload,
    "NOT_FOUND QUOTE_EXPIRED QUOTE_USED PASSENGERS_MISMATCH INVALID_PASSENGERS INVALID_NAME"
    " DEPARTURE_CLOSED SEATS_UNAVAILABLE HOLD_LIMIT_REACHED IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_IN_FLIGHT"
    " UPSTREAM_UNAVAILABLE",
    input=CreateBookingInput(required=True),
)
async def create_booking(info: Info, input: CreateBookingInput) -> Payload:
    """Hold the quote's seats and create a booking. The same key returns the same booking."""
    info.context.signed_in_traveller()
    request = bookings_pb2.CreateBookingRequest(
        quote_id=uuid_or_not_found(input.quote, "Quote", "quote"),
        passengers=[_passenger(passenger) for passenger in input.passengers],
        idempotency_key=input.idempotency_key,
    )
    return {"booking": (await info.context.call(stubs.bookings.CreateBooking, request)).booking}


@mutation(
    PaymentPayload,
    "NOT_FOUND NOT_PAYABLE INVALID_PAYMENT_METHOD PAYMENT_IN_PROGRESS ALREADY_PAID PROVIDER_UNAVAILABLE"
    " IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_IN_FLIGHT",
    input=PayBookingInput(required=True),
)
async def pay_booking(info: Info, input: PayBookingInput) -> Payload:
    """Pay a booking. A declined payment is no refusal: the payload contains a payment with the status FAILED."""
    info.context.signed_in_traveller()
    request = bookings_pb2.PayBookingRequest(
        reference=input.reference, payment_method=input.payment_method, idempotency_key=input.idempotency_key
    )
    answer = await info.context.call(stubs.bookings.PayBooking, request)
    return {"payment": answer.payment, "booking": answer.booking}


@mutation(
    CancellationQuotePayload,
    "NOT_FOUND NOT_CANCELLABLE",
    reference=graphene.String(required=True),
    passengers=graphene.List(graphene.NonNull(graphene.ID)),
)
async def quote_cancellation(info: Info, reference: str, passengers: list[str] | None = None) -> Payload:
    """Quote what a cancellation of the booking, or of these passengers, would refund now."""
    info.context.signed_in_traveller()
    request = bookings_pb2.QuoteCancellationRequest(
        reference=reference, passenger_ids=[uuid_or_not_found(id, "Passenger", "passengers") for id in passengers or []]
    )
    answer = await info.context.call(stubs.bookings.QuoteCancellation, request)
    return {"cancellation_quote": answer.cancellation_quote}


@mutation(BookingPayload, "NOT_FOUND QUOTE_EXPIRED QUOTE_OUTDATED", cancellation_quote=graphene.ID(required=True))
async def cancel_booking(info: Info, cancellation_quote: str) -> Payload:
    """Cancel and refund as the cancellation quote says. A repeated request changes nothing."""
    info.context.signed_in_traveller()
    raw = uuid_or_not_found(cancellation_quote, "CancellationQuote", "cancellationQuote")
    request = bookings_pb2.CancelBookingRequest(cancellation_quote_id=raw)
    return {"booking": (await info.context.call(stubs.bookings.CancelBooking, request)).booking}


@mutation(BookingPayload, "NOT_FOUND NOT_CHANGED", reference=graphene.String(required=True))
async def accept_change(info: Info, reference: str) -> Payload:
    """Accept the new dates of a departure that was moved. A repeated request changes nothing."""
    info.context.signed_in_traveller()
    request = bookings_pb2.AcceptChangeRequest(reference=reference)
    return {"booking": (await info.context.call(stubs.bookings.AcceptChange, request)).booking}


@mutation(
    BookingPayload,
    "NOT_FOUND INVALID_NAME NOT_CHANGEABLE",
    id=graphene.ID(required=True),
    first_name=graphene.String(required=True),
    last_name=graphene.String(required=True),
)
async def rename_passenger(info: Info, id: str, first_name: str, last_name: str) -> Payload:
    """Correct a passenger's name."""
    info.context.signed_in_traveller()
    request = bookings_pb2.RenamePassengerRequest(
        passenger_id=uuid_or_not_found(id, "Passenger", "id"), first_name=first_name, last_name=last_name
    )
    return {"booking": (await info.context.call(stubs.bookings.RenamePassenger, request)).booking}


@mutation(
    WaitlistPayload,
    "NOT_FOUND INVALID_PASSENGERS SEATS_AVAILABLE DEPARTURE_CLOSED",
    departure=graphene.ID(required=True),
    seats=graphene.Int(required=True),
)
async def join_waitlist(info: Info, departure: str, seats: int) -> Payload:
    """Join the waiting list of a full departure."""
    info.context.signed_in_traveller()
    request = bookings_pb2.JoinWaitlistRequest(
        departure_id=uuid_or_not_found(departure, "Departure", "departure"), seats=seats
    )
    return {"entry": (await info.context.call(stubs.bookings.JoinWaitlist, request)).entry}


@mutation(DonePayload, "NOT_FOUND", id=graphene.ID(required=True))
async def leave_waitlist(info: Info, id: str) -> Payload:
    """Remove the traveller's entry from the waiting list."""
    info.context.signed_in_traveller()
    request = bookings_pb2.LeaveWaitlistRequest(id=uuid_or_not_found(id, "WaitlistEntry", "id"))
    await info.context.call(stubs.bookings.LeaveWaitlist, request)
    return {}


def _passenger(given: PassengerInput) -> bookings_pb2.PassengerInput:
    born = given.get("date_of_birth")
    return bookings_pb2.PassengerInput(
        first_name=given.first_name,
        last_name=given.last_name,
        kind=given.kind.value,
        date_of_birth=born.isoformat() if born else "",
    )
