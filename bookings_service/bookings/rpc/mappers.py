"""Views as protobuf messages, and requests as commands."""

from typing import Final

from bookings_service.bookings.contracts import (
    BookingView,
    CancellationQuoteView,
    CreateBooking,
    CreateQuote,
    DepartureChangeView,
    HistoryEntryView,
    PassengerDetails,
    PassengerKind,
    PriceLine,
    QuoteView,
    WaitlistView,
)
from bookings_service.payments.contracts import PaymentView, RefundView
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from shared.errors import Invalid
from shared.rpc.mapping import date_of, enum_values, money_to_proto, text_to_proto, ts, uuid_of

_BOOKING_STATUSES: Final = enum_values(pb.BookingStatus, "BOOKING_STATUS_")
_BOOKING_REASONS: Final = enum_values(pb.BookingReason, "BOOKING_REASON_")
_PASSENGER_KINDS: Final = enum_values(pb.PassengerKind, "PASSENGER_KIND_")
_PAYMENT_STATUSES: Final = enum_values(pb.PaymentStatus, "PAYMENT_STATUS_")
_REFUND_STATUSES: Final = enum_values(pb.RefundStatus, "REFUND_STATUS_")
_WAITLIST_STATUSES: Final = enum_values(pb.WaitlistStatus, "WAITLIST_STATUS_")
_KINDS = {pb.PASSENGER_KIND_ADULT: PassengerKind.ADULT, pb.PASSENGER_KIND_CHILD: PassengerKind.CHILD}


def booking_to_proto(booking: BookingView) -> pb.Booking:
    """Return the message of a booking."""
    return pb.Booking(
        id=str(booking.id),
        reference=booking.reference,
        status=_BOOKING_STATUSES[booking.status],
        reason=_BOOKING_REASONS[booking.reason],
        traveller_id=str(booking.traveller_id),
        departure_id=str(booking.departure_id),
        title=text_to_proto(booking.title),
        starts_at=ts(booking.starts_at),
        ends_at=ts(booking.ends_at),
        time_zone=booking.time_zone,
        passengers=[
            pb.Passenger(
                id=str(passenger.id),
                first_name=passenger.first_name,
                last_name=passenger.last_name,
                kind=_PASSENGER_KINDS[passenger.kind],
                date_of_birth=passenger.date_of_birth.isoformat() if passenger.date_of_birth else "",
                cancelled=passenger.cancelled,
            )
            for passenger in booking.passengers
        ],
        lines=map(line_to_proto, booking.lines),
        total=money_to_proto(booking.total),
        paid=money_to_proto(booking.paid),
        refunded=money_to_proto(booking.refunded),
        hold_expires_at=ts(booking.hold_expires_at),
        sequence=booking.sequence,
        payments=map(payment_to_proto, booking.payments),
        refunds=map(refund_to_proto, booking.refunds),
        created_at=ts(booking.created_at),
        change=change_to_proto(booking.change) if booking.change else None,
    )


def change_to_proto(change: DepartureChangeView) -> pb.DepartureChange:
    """Return the message of a change of the departure."""
    return pb.DepartureChange(
        at=ts(change.at),
        reason=change.reason,
        previous_starts_at=ts(change.previous_starts_at),
        previous_ends_at=ts(change.previous_ends_at),
        free_cancellation_until=ts(change.free_cancellation_until),
        accepted_at=ts(change.accepted_at),
    )


def line_to_proto(line: PriceLine) -> pb.PriceLine:
    """Return the message of a price line."""
    return pb.PriceLine(
        label=text_to_proto(line.label),
        quantity=line.quantity,
        unit_price=money_to_proto(line.unit_price),
        total=money_to_proto(line.total),
        tax=money_to_proto(line.tax),
    )


def payment_to_proto(payment: PaymentView) -> pb.Payment:
    """Return the message of a payment. It has a next action only while it is REQUIRES_ACTION."""
    action = pb.PaymentAction(redirect_url=payment.redirect_url, client_secret=payment.client_secret)
    return pb.Payment(
        id=str(payment.id),
        booking_id=str(payment.booking_id),
        amount=money_to_proto(payment.amount),
        status=_PAYMENT_STATUSES[payment.status],
        provider=payment.provider,
        failure_code=payment.failure_code,
        created_at=ts(payment.created_at),
        next_action=action if payment.status == "REQUIRES_ACTION" else None,
    )


def refund_to_proto(refund: RefundView) -> pb.Refund:
    """Return the message of a refund."""
    return pb.Refund(
        id=str(refund.id),
        booking_id=str(refund.booking_id),
        amount=money_to_proto(refund.amount),
        status=_REFUND_STATUSES[refund.status],
        reason=refund.reason,
        created_at=ts(refund.created_at),
    )


def quote_to_proto(quote: QuoteView) -> pb.Quote:
    """Return the message of a quote."""
    return pb.Quote(
        id=str(quote.id),
        departure_id=str(quote.departure_id),
        lines=map(line_to_proto, quote.lines),
        total=money_to_proto(quote.total),
        expires_at=ts(quote.expires_at),
        cancellation_policy=[
            pb.CancellationRule(days_before=rule.days_before, refund_percent=rule.refund_percent)
            for rule in quote.policy
        ],
        adults=quote.adults,
        children=quote.children,
    )


def event_to_proto(event: HistoryEntryView) -> pb.BookingEvent:
    """Return the message of a history entry."""
    return pb.BookingEvent(
        sequence=event.sequence,
        type=event.type,
        status=_BOOKING_STATUSES[event.status],
        reason=_BOOKING_REASONS[event.reason],
        at=ts(event.at),
        actor=event.actor,
        message=text_to_proto(event.message),
    )


def cancellation_quote_to_proto(quote: CancellationQuoteView) -> pb.CancellationQuote:
    """Return the message of a cancellation quote."""
    return pb.CancellationQuote(
        id=str(quote.id),
        booking_id=str(quote.booking_id),
        refund=money_to_proto(quote.refund),
        kept=money_to_proto(quote.kept),
        explanation=map(text_to_proto, quote.explanation),
        expires_at=ts(quote.expires_at),
    )


def waitlist_entry_to_proto(entry: WaitlistView) -> pb.WaitlistEntry:
    """Return the message of an entry of the waiting list."""
    return pb.WaitlistEntry(
        id=str(entry.id),
        departure_id=str(entry.departure_id),
        seats=entry.seats,
        status=_WAITLIST_STATUSES[entry.status],
        position=entry.position or 0,
        offered_until=ts(entry.offered_until),
        created_at=ts(entry.created_at),
    )


def to_create_quote(request: pb.CreateQuoteRequest) -> CreateQuote:
    """Return the command. Raises Invalid for malformed ids."""
    entry = request.waitlist_entry_id
    return CreateQuote(
        departure_id=uuid_of(request.departure_id, "departure"),
        adults=request.adults,
        children=request.children,
        waitlist_entry_id=uuid_of(entry, "waitlistEntry") if entry else None,
    )


def to_create_booking(request: pb.CreateBookingRequest) -> CreateBooking:
    """Return the command. Raises Invalid for malformed ids or dates, and for unknown kinds of passengers."""
    return CreateBooking(
        quote_id=uuid_of(request.quote_id, "quote"),
        passengers=tuple(_passenger(passenger) for passenger in request.passengers),
        idempotency_key=request.idempotency_key,
    )


def status_of(value: "pb.BookingStatus.ValueType") -> str:
    """Return the name of the status to filter by, or "" if none is given. Raises Invalid for an unknown status."""
    if value == pb.BOOKING_STATUS_UNSPECIFIED:
        return ""
    if value not in pb.BookingStatus.values():
        raise Invalid(field="status")
    return pb.BookingStatus.Name(value).removeprefix("BOOKING_STATUS_")


def _passenger(passenger: pb.PassengerInput) -> PassengerDetails:
    if passenger.kind not in _KINDS:
        raise Invalid(field="passengers.kind")
    return PassengerDetails(
        first_name=passenger.first_name,
        last_name=passenger.last_name,
        kind=_KINDS[passenger.kind],
        date_of_birth=date_of(passenger.date_of_birth, "passengers.dateOfBirth"),
    )
