"""Mutations of quotes and bookings: all of them are bookings_service's."""

from typing import Any

import graphene

from contracts.travel.bookings.v1 import bookings_pb2
from gateway_service.gateway.ids import parse_global_id
from gateway_service.gateway.schema.enums import PassengerKind
from gateway_service.gateway.schema.mutations.payloads import (
    BookingPayload,
    CancellationQuotePayload,
    DonePayload,
    PaymentPayload,
    QuotePayload,
    WaitlistPayload,
    mutation,
)
from gateway_service.gateway.schema.scalars import Date
from gateway_service.gateway.schema.values import Info
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
    """Return the uuid of a global id. Raises NotFound for what can be nobody's: a wrong id is as unknown as a foreign one."""
    parsed = parse_global_id(value)
    if parsed is None or parsed[0] != type_name:
        raise NotFound(field=field)
    return parsed[1]


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
) -> dict[str, Any]:
    """Price a departure for the traveller, for a quarter of an hour."""
    info.context.owner()
    entry = known(waitlist_entry, "WaitlistEntry", "waitlistEntry") if waitlist_entry is not None else ""
    request = bookings_pb2.CreateQuoteRequest(
        departure_id=known(departure, "Departure", "departure"),
        adults=adults,
        children=children or 0,
        waitlist_entry_id=entry,
    )
    return {"quote": (await info.context.call("bookings", "CreateQuote", request)).quote}


@mutation(
    BookingPayload,
    "EMAIL_NOT_VERIFIED NOT_FOUND QUOTE_EXPIRED QUOTE_USED PASSENGERS_MISMATCH INVALID_PASSENGERS INVALID_NAME"
    " DEPARTURE_CLOSED SEATS_UNAVAILABLE HOLD_LIMIT_REACHED IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_IN_FLIGHT"
    " UPSTREAM_UNAVAILABLE",
    input=CreateBookingInput(required=True),
)
async def create_booking(info: Info, input: Any) -> dict[str, Any]:
    """Hold the quote's seats and open a booking; the same key brings the same one."""
    info.context.owner()
    request = bookings_pb2.CreateBookingRequest(
        quote_id=known(input.quote, "Quote", "quote"),
        passengers=[_passenger(one) for one in input.passengers],
        idempotency_key=input.idempotency_key,
    )
    return {"booking": (await info.context.call("bookings", "CreateBooking", request)).booking}


@mutation(
    PaymentPayload,
    "NOT_FOUND NOT_PAYABLE INVALID_PAYMENT_METHOD PAYMENT_IN_PROGRESS ALREADY_PAID PROVIDER_UNAVAILABLE"
    " IDEMPOTENCY_KEY_REUSED IDEMPOTENCY_KEY_IN_FLIGHT",
    input=PayBookingInput(required=True),
)
async def pay_booking(info: Info, input: Any) -> dict[str, Any]:
    """Pay a booking; a decline is an answer, not a refusal."""
    info.context.owner()
    request = bookings_pb2.PayBookingRequest(
        reference=input.reference, payment_method=input.payment_method, idempotency_key=input.idempotency_key
    )
    answer = await info.context.call("bookings", "PayBooking", request)
    return {"payment": answer.payment, "booking": answer.booking}


@mutation(
    CancellationQuotePayload,
    "NOT_FOUND NOT_CANCELLABLE",
    reference=graphene.String(required=True),
    passengers=graphene.List(graphene.NonNull(graphene.ID)),
)
async def quote_cancellation(info: Info, reference: str, passengers: list[str] | None = None) -> dict[str, Any]:
    """Say what cancelling now would give back."""
    info.context.owner()
    request = bookings_pb2.QuoteCancellationRequest(
        reference=reference, passenger_ids=[known(one, "Passenger", "passengers") for one in passengers or []]
    )
    answer = await info.context.call("bookings", "QuoteCancellation", request)
    return {"cancellation_quote": answer.cancellation_quote}


@mutation(BookingPayload, "NOT_FOUND QUOTE_EXPIRED QUOTE_OUTDATED", cancellation_quote=graphene.ID(required=True))
async def cancel_booking(info: Info, cancellation_quote: str) -> dict[str, Any]:
    """Cancel and refund as quoted, once however often it is asked."""
    info.context.owner()
    raw = known(cancellation_quote, "CancellationQuote", "cancellationQuote")
    answer = await info.context.call(
        "bookings", "CancelBooking", bookings_pb2.CancelBookingRequest(cancellation_quote_id=raw)
    )
    return {"booking": answer.booking}


@mutation(
    BookingPayload,
    "NOT_FOUND INVALID_NAME NOT_CHANGEABLE",
    id=graphene.ID(required=True),
    first_name=graphene.String(required=True),
    last_name=graphene.String(required=True),
)
async def rename_passenger(info: Info, id: str, first_name: str, last_name: str) -> dict[str, Any]:
    """Correct a passenger's name."""
    info.context.owner()
    request = bookings_pb2.RenamePassengerRequest(
        passenger_id=known(id, "Passenger", "id"), first_name=first_name, last_name=last_name
    )
    return {"booking": (await info.context.call("bookings", "RenamePassenger", request)).booking}


@mutation(
    WaitlistPayload,
    "NOT_FOUND INVALID_PASSENGERS SEATS_AVAILABLE DEPARTURE_CLOSED",
    departure=graphene.ID(required=True),
    seats=graphene.Int(required=True),
)
async def join_waitlist(info: Info, departure: str, seats: int) -> dict[str, Any]:
    """Join the line for a full departure."""
    info.context.owner()
    request = bookings_pb2.JoinWaitlistRequest(departure_id=known(departure, "Departure", "departure"), seats=seats)
    return {"entry": (await info.context.call("bookings", "JoinWaitlist", request)).entry}


@mutation(DonePayload, "NOT_FOUND", id=graphene.ID(required=True))
async def leave_waitlist(info: Info, id: str) -> dict[str, Any]:
    """Leave the line."""
    info.context.owner()
    request = bookings_pb2.LeaveWaitlistRequest(id=known(id, "WaitlistEntry", "id"))
    await info.context.call("bookings", "LeaveWaitlist", request)
    return {}


def _passenger(given: Any) -> bookings_pb2.PassengerInput:
    born = given.get("date_of_birth")
    return bookings_pb2.PassengerInput(
        first_name=given.first_name,
        last_name=given.last_name,
        kind=given.kind.value,
        date_of_birth=born.isoformat() if born else "",
    )
