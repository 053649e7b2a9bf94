"""Quotes, bookings, their history, payments and refunds."""

from collections.abc import Awaitable, Sequence

import graphene

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from gateway_service.gateway.ids import to_global_id
from gateway_service.gateway.operation.context import in_language
from gateway_service.gateway.operation.loaders import PageKey
from gateway_service.gateway.schema.base import Info, MessageObject, Node, NodeObject, many
from gateway_service.gateway.schema.catalogue import CancellationRule, Departure
from gateway_service.gateway.schema.columns import Column, ColumnResolver, mapped
from gateway_service.gateway.schema.enums import (
    BookingReason,
    BookingStatus,
    PassengerKind,
    PaymentStatus,
    RefundStatus,
    WaitlistStatus,
)
from gateway_service.gateway.schema.money import Money, convert
from gateway_service.gateway.schema.notifications import Invoice
from gateway_service.gateway.schema.paging import connection
from gateway_service.gateway.schema.scalars import Date, DateTime
from gateway_service.gateway.schema.user_ref import UserRef
from shared.errors import Invalid

MAX_SEQUENCE = 2**31 - 1


class PriceLine(MessageObject):
    label = graphene.String(required=True)
    quantity = graphene.Int(required=True)
    unit_price = graphene.Field(Money, required=True)
    total = graphene.Field(Money, required=True)
    tax = graphene.Field(Money)

    @staticmethod
    @ColumnResolver
    def resolve_label(roots: Sequence[bookings_pb2.PriceLine], info: Info) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.label for root in roots])


class Quote(NodeObject):
    class Meta:
        interfaces = (Node,)

    departure = graphene.Field(Departure)
    lines = many(PriceLine)
    total = graphene.Field(Money, required=True)
    converted_total = graphene.Field(Money, currency=graphene.String(required=True))
    expires_at = DateTime(required=True)
    cancellation_policy = many(CancellationRule)

    @staticmethod
    @ColumnResolver
    def resolve_departure(roots: Sequence[bookings_pb2.Quote], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.departures.get([root.departure_id for root in roots])

    @staticmethod
    @ColumnResolver
    async def resolve_converted_total(roots: Sequence[bookings_pb2.Quote], info: Info, currency: str) -> Column:
        return await convert([root.total for root in roots], currency, info)


class Passenger(MessageObject):
    id = graphene.ID(required=True)
    cancelled = graphene.Boolean(required=True)
    first_name = graphene.String(required=True)
    last_name = graphene.String(required=True)
    kind = PassengerKind(required=True)
    date_of_birth = Date()

    @staticmethod
    @ColumnResolver
    def resolve_id(roots: Sequence[bookings_pb2.Passenger], info: Info) -> list[str]:
        return [to_global_id("Passenger", root.id) for root in roots]


class BookingEvent(MessageObject):
    sequence = graphene.Int(required=True)
    type = graphene.String(required=True)
    status = BookingStatus(required=True)
    reason = BookingReason(required=True)
    at = DateTime(required=True)
    actor = graphene.String(required=True)
    message = graphene.String(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_message(roots: Sequence[bookings_pb2.BookingEvent], info: Info) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.message for root in roots])


class PaymentAction(MessageObject):
    redirect_url = graphene.String()
    client_secret = graphene.String()


class Payment(NodeObject):
    class Meta:
        interfaces = (Node,)

    amount = graphene.Field(Money, required=True)
    status = PaymentStatus(required=True)
    provider = graphene.String(required=True)
    failure_code = graphene.String()
    created_at = DateTime(required=True)
    next_action = graphene.Field(PaymentAction)


class Refund(NodeObject):
    class Meta:
        interfaces = (Node,)

    amount = graphene.Field(Money, required=True)
    status = RefundStatus(required=True)
    reason = graphene.String(required=True)
    created_at = DateTime(required=True)


class CancellationQuote(NodeObject):
    class Meta:
        interfaces = (Node,)

    refund = graphene.Field(Money, required=True)
    kept = graphene.Field(Money, required=True)
    explanation = many(graphene.String)
    expires_at = DateTime(required=True)

    @staticmethod
    async def resolve_explanation(root: bookings_pb2.CancellationQuote, info: Info) -> list[str]:
        return in_language(root.explanation, await info.context.locale())


class DepartureChange(MessageObject):
    """What the organiser changed after the trip was booked. `startsAt` and `endsAt` of the booking are the new dates.

    Until `freeCancellationUntil`, a cancellation refunds everything, unless the change was accepted.
    """

    at = DateTime(required=True, description="When the booking was moved.")
    reason = graphene.String(required=True, description="Why, in the words of the organiser's staff; may be empty.")
    previous_starts_at = DateTime(required=True, description="The start that was bought, or accepted last.")
    previous_ends_at = DateTime(required=True, description="The end that was bought, or accepted last.")
    free_cancellation_until = DateTime(
        required=True, description="Equal to `at` after a small move: then nothing is free."
    )
    accepted_at = DateTime(description="When the traveller accepted the change; null until then.")


class Booking(NodeObject):
    class Meta:
        interfaces = (Node,)

    reference = graphene.String(required=True)
    status = BookingStatus(required=True)
    reason = BookingReason(required=True)
    departure = graphene.Field(Departure)
    title = graphene.String(required=True)
    starts_at = DateTime(required=True)
    ends_at = DateTime(required=True)
    time_zone = graphene.String(required=True)
    traveller = graphene.Field("gateway_service.gateway.schema.users.User")
    passengers = many(Passenger)
    lines = many(PriceLine)
    total = graphene.Field(Money, required=True)
    paid = graphene.Field(Money, required=True)
    refunded = graphene.Field(Money, required=True)
    hold_expires_at = DateTime()
    sequence = graphene.Int(required=True)
    history = graphene.Field(
        graphene.List(graphene.NonNull(BookingEvent)), required=True, after_sequence=graphene.Int()
    )
    payments = many(Payment)
    refunds = many(Refund)
    invoice = graphene.Field(Invoice)
    credit_notes = graphene.List(graphene.NonNull(Invoice))
    change = graphene.Field(
        DepartureChange,
        description="What the organiser changed after the trip was booked; null if nothing was, or if it was undone.",
    )
    created_at = DateTime(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_departure(roots: Sequence[bookings_pb2.Booking], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.departures.get([root.departure_id for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_title(roots: Sequence[bookings_pb2.Booking], info: Info) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.title for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_traveller(roots: Sequence[bookings_pb2.Booking], info: Info) -> list[UserRef | None]:
        own = str(info.context.signed_in_traveller().id)
        return [UserRef(own) if root.traveller_id == own else None for root in roots]

    @staticmethod
    @ColumnResolver
    def resolve_history(
        roots: Sequence[bookings_pb2.Booking], info: Info, after_sequence: int | None = None
    ) -> Column | Awaitable[Column]:
        sequence = sequence_of(after_sequence)
        histories = info.context.loaders.history_of_booking.get([PageKey(root.id, sequence) for root in roots])
        return mapped(histories, lambda history: history.events if history else ())

    @staticmethod
    @ColumnResolver
    def resolve_invoice(roots: Sequence[bookings_pb2.Booking], info: Info) -> Column | Awaitable[Column]:
        invoices = _invoices(roots, info, notifications_pb2.INVOICE_KIND_INVOICE)
        return mapped(invoices, lambda of_booking: of_booking[0] if of_booking else None)

    @staticmethod
    @ColumnResolver
    def resolve_credit_notes(roots: Sequence[bookings_pb2.Booking], info: Info) -> Column | Awaitable[Column]:
        return _invoices(roots, info, notifications_pb2.INVOICE_KIND_CREDIT_NOTE)


class WaitlistEntry(NodeObject):
    class Meta:
        interfaces = (Node,)

    departure = graphene.Field(Departure)
    seats = graphene.Int(required=True)
    status = WaitlistStatus(required=True)
    position = graphene.Int()
    offered_until = DateTime()
    created_at = DateTime(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_departure(roots: Sequence[bookings_pb2.WaitlistEntry], info: Info) -> Column | Awaitable[Column]:
        return info.context.loaders.departures.get([root.departure_id for root in roots])

    @staticmethod
    @ColumnResolver
    def resolve_position(roots: Sequence[bookings_pb2.WaitlistEntry], info: Info) -> list[int | None]:
        return [root.position or None for root in roots]


def _invoices(bookings: Sequence[bookings_pb2.Booking], info: Info, kind: int) -> Column | Awaitable[Column]:
    """Return the invoices or credit notes of each booking."""
    documents = info.context.loaders.invoices_of_booking.get([booking.id for booking in bookings])
    return mapped(documents, lambda of_booking: [invoice for invoice in of_booking if invoice.kind == kind])


def sequence_of(after: int | None) -> int:
    """Return the sequence `after`, or 0 (all history entries) for None. Raises Invalid if `after` is negative."""
    if after is not None and after < 0:
        raise Invalid(field="afterSequence")
    return after or 0


BookingConnection = connection("Booking", Booking, counted=True)
