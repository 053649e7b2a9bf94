"""Quotes, bookings, their history, payments and refunds."""

from collections.abc import Awaitable, Sequence

import graphene

from contracts.travel.bookings.v1 import bookings_pb2
from contracts.travel.destinations.v1 import destinations_pb2
from contracts.travel.notifications.v1 import notifications_pb2
from gateway_service.gateway.ids import to_global_id
from gateway_service.gateway.operation.loaders import PageKey
from gateway_service.gateway.schema.base import Info, MessageObject, Node, NodeObject, many
from gateway_service.gateway.schema.catalogue import CancellationRule, Departure
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
from shared.money import Money as Amount

MAX_SEQUENCE = 2**31 - 1


class PriceLine(MessageObject):
    label = graphene.String(required=True)
    quantity = graphene.Int(required=True)
    unit_price = graphene.Field(Money, required=True)
    total = graphene.Field(Money, required=True)
    tax = graphene.Field(Money)

    @staticmethod
    def resolve_label(root: bookings_pb2.PriceLine, info: Info) -> str | Awaitable[str]:
        return info.context.localized(root.label)


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
    async def resolve_departure(root: bookings_pb2.Quote, info: Info) -> destinations_pb2.Departure | None:
        return await info.context.loaders.departures.load(root.departure_id)

    @staticmethod
    async def resolve_converted_total(root: bookings_pb2.Quote, info: Info, currency: str) -> Amount:
        return await convert(root.total, currency, info)


class Passenger(MessageObject):
    id = graphene.ID(required=True)
    cancelled = graphene.Boolean(required=True)
    first_name = graphene.String(required=True)
    last_name = graphene.String(required=True)
    kind = PassengerKind(required=True)
    date_of_birth = Date()

    @staticmethod
    def resolve_id(root: bookings_pb2.Passenger, info: Info) -> str:
        return to_global_id("Passenger", root.id)


class BookingEvent(MessageObject):
    sequence = graphene.Int(required=True)
    type = graphene.String(required=True)
    status = BookingStatus(required=True)
    reason = BookingReason(required=True)
    at = DateTime(required=True)
    actor = graphene.String(required=True)
    message = graphene.String(required=True)

    @staticmethod
    def resolve_message(root: bookings_pb2.BookingEvent, info: Info) -> str | Awaitable[str]:
        return info.context.localized(root.message)


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
        await info.context.locale()  # then `localized` returns text, not an awaitable
        return [str(info.context.localized(sentence)) for sentence in root.explanation]


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
    created_at = DateTime(required=True)

    @staticmethod
    async def resolve_departure(root: bookings_pb2.Booking, info: Info) -> destinations_pb2.Departure | None:
        return await info.context.loaders.departures.load(root.departure_id)

    @staticmethod
    def resolve_title(root: bookings_pb2.Booking, info: Info) -> str | Awaitable[str]:
        return info.context.localized(root.title)

    @staticmethod
    def resolve_traveller(root: bookings_pb2.Booking, info: Info) -> UserRef | None:
        traveller = info.context.signed_in_traveller()
        return UserRef(root.traveller_id) if root.traveller_id == str(traveller.id) else None

    @staticmethod
    async def resolve_history(
        root: bookings_pb2.Booking, info: Info, after_sequence: int | None = None
    ) -> Sequence[bookings_pb2.BookingEvent]:
        history = await info.context.loaders.history_of_booking.load(PageKey(root.id, sequence_of(after_sequence)))
        return history.events if history else ()

    @staticmethod
    async def resolve_invoice(root: bookings_pb2.Booking, info: Info) -> notifications_pb2.Invoice | None:
        return next(iter(await _invoices(root, info, notifications_pb2.INVOICE_KIND_INVOICE)), None)

    @staticmethod
    async def resolve_credit_notes(root: bookings_pb2.Booking, info: Info) -> list[notifications_pb2.Invoice]:
        return await _invoices(root, info, notifications_pb2.INVOICE_KIND_CREDIT_NOTE)


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
    async def resolve_departure(root: bookings_pb2.WaitlistEntry, info: Info) -> destinations_pb2.Departure | None:
        return await info.context.loaders.departures.load(root.departure_id)

    @staticmethod
    def resolve_position(root: bookings_pb2.WaitlistEntry, info: Info) -> int | None:
        return root.position or None


async def _invoices(booking: bookings_pb2.Booking, info: Info, kind: int) -> list[notifications_pb2.Invoice]:
    invoices = await info.context.loaders.invoices_of_booking.load(booking.id)
    return [invoice for invoice in invoices if invoice.kind == kind]


def sequence_of(after: int | None) -> int:
    """Return the sequence `after`, or 0 (all history entries) for None. Raises Invalid if `after` is negative."""
    if after is not None and after < 0:
        raise Invalid(field="afterSequence")
    return after or 0


BookingConnection = connection("Booking", Booking, counted=True)
