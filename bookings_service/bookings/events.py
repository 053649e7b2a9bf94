"""Bookings' events: the booking after the change, its history's line, ids and amounts alone."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from bookings_service.bookings.models import Booking, BookingEvent, SeatInventory, WaitlistEntry
from bookings_service.bookings.snapshots import lines_from_json
from bookings_service.payments import ledger
from bookings_service.payments.models import Payment, Refund
from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import bookings_pb2 as pb
from shared.money import Money
from shared.rpc.mapping import money_to_proto, text_to_proto

UNANSWERED: Final = pb.WAITLIST_EXPIRY_REASON_UNANSWERED
DEPARTURE_CLOSED: Final = pb.WAITLIST_EXPIRY_REASON_DEPARTURE_CLOSED


def created(booking: Booking, line: BookingEvent) -> pb.BookingCreated:
    """Return the event of a new booking."""
    return pb.BookingCreated(**_base(booking, line))


def confirmed(booking: Booking, line: BookingEvent) -> pb.BookingConfirmed:
    """Return the event of a confirmed booking."""
    return pb.BookingConfirmed(**_base(booking, line))


def hold_extended(booking: Booking, line: BookingEvent) -> pb.BookingHoldExtended:
    """Return the event of an extended hold."""
    return pb.BookingHoldExtended(**_base(booking, line))


def cancelled(refund: Money) -> Any:
    """Return what builds the event of a cancelled booking of which `refund` comes back."""
    return lambda booking, line: pb.BookingCancelled(**_base(booking, line), refund=money_to_proto(refund))


def passengers_cancelled(seats: int, refund: Money) -> Any:
    """Return what builds the event of `seats` passengers cancelled, of whom `refund` comes back."""
    return lambda booking, line: pb.BookingPassengersCancelled(
        **_base(booking, line), seats_cancelled=seats, refund=money_to_proto(refund)
    )


def payment_succeeded(payment: Payment) -> Any:
    """Return what builds the event of a captured payment."""
    return lambda booking, line: pb.PaymentSucceeded(**_base(booking, line), payment=_payment(payment))


def payment_failed(payment: Payment) -> Any:
    """Return what builds the event of a failed payment."""
    return lambda booking, line: pb.PaymentFailed(**_base(booking, line), payment=_payment(payment))


def refund_succeeded(refund: Refund) -> Any:
    """Return what builds the event of a refund paid out."""
    return lambda booking, line: pb.RefundSucceeded(**_base(booking, line), refund=_refund(refund))


def refund_failed(refund: Refund) -> Any:
    """Return what builds the event of a refund that did not succeed."""
    return lambda booking, line: pb.RefundFailed(**_base(booking, line), refund=_refund(refund))


def passenger_renamed(passenger_id: UUID) -> Any:
    """Return what builds the event of a corrected name, which the event does not carry."""
    return lambda booking, line: pb.BookingPassengerRenamed(**_base(booking, line), passenger_id=str(passenger_id))


def waitlist_offered(entry: WaitlistEntry) -> pb.WaitlistOffered:
    """Return the event of seats held for a group in line."""
    return pb.WaitlistOffered(
        entry=_waitlist(entry), offered_until=_ts(entry.offered_until) if entry.offered_until else None
    )


def waitlist_expired(entry: WaitlistEntry, reason: "pb.WaitlistExpiryReason.ValueType") -> pb.WaitlistExpired:
    """Return the event of a group whose offer, or whose departure, is gone."""
    return pb.WaitlistExpired(entry=_waitlist(entry), reason=reason)


def inventory_changed(row: SeatInventory) -> pb.InventoryChanged:
    """Return the event of changed seats."""
    return pb.InventoryChanged(
        departure_id=str(row.departure_id),
        capacity=row.capacity,
        held=row.held,
        sold=row.sold,
        seats_available=0 if row.closed else row.capacity - row.held - row.sold,
        sequence=row.sequence,
    )


def _base(booking: Booking, line: BookingEvent) -> dict[str, Any]:
    return {"booking": snapshot(booking), "entry": _entry(line)}


def snapshot(booking: Booking) -> pb.BookingSnapshot:
    """Return the booking as it is, without a name in it."""
    is_new = booking.sequence == 1  # nobody has paid yet
    paid, refunded = (0, 0) if is_new else ledger.balances([booking.id]).get(booking.id, (0, 0))
    return pb.BookingSnapshot(
        booking_id=str(booking.id),
        reference=booking.reference,
        traveller_id=str(booking.traveller_id),
        departure_id=str(booking.departure_id),
        state=pb.BookingState.Value(f"BOOKING_STATE_{booking.status}"),
        reason=booking.reason,
        title=common_pb2.LocalizedText(en=booking.title_en, fr=booking.title_fr),
        starts_at=_ts(booking.starts_at),
        ends_at=_ts(booking.ends_at),
        time_zone=booking.time_zone,
        seats=booking.seats,
        lines=[
            pb.BookingLine(
                label=text_to_proto(line.label),
                quantity=line.quantity,
                unit_price=money_to_proto(line.unit_price),
                total=money_to_proto(line.total),
                tax=money_to_proto(line.tax),
            )
            for line in lines_from_json(booking.lines, booking.currency)
        ],
        total=_money(booking.total_minor, booking.currency),
        paid=_money(paid, booking.currency),
        refunded=_money(refunded, booking.currency),
        hold_expires_at=_ts(booking.hold_expires_at) if booking.hold_expires_at else None,
        sequence=booking.sequence,
    )


def _entry(line: BookingEvent) -> pb.HistoryEntry:
    return pb.HistoryEntry(
        sequence=line.sequence,
        type=line.type,
        at=_ts(line.at),
        actor=line.actor,
        message=common_pb2.LocalizedText(en=line.message_en, fr=line.message_fr),
    )


def _waitlist(entry: WaitlistEntry) -> pb.WaitlistSnapshot:
    return pb.WaitlistSnapshot(
        entry_id=str(entry.id),
        traveller_id=str(entry.traveller_id),
        departure_id=str(entry.departure_id),
        seats=entry.seats,
        title=common_pb2.LocalizedText(en=entry.title_en, fr=entry.title_fr),
        starts_at=_ts(entry.starts_at),
        time_zone=entry.time_zone,
        sequence=entry.sequence,
    )


def _payment(payment: Payment) -> pb.PaymentSnapshot:
    return pb.PaymentSnapshot(
        payment_id=str(payment.id),
        amount=_money(payment.amount_minor, payment.currency),
        provider=payment.provider,
        failure_code=payment.failure_code,
    )


def _refund(refund: Refund) -> pb.RefundSnapshot:
    return pb.RefundSnapshot(
        refund_id=str(refund.id),
        payment_id=str(refund.payment_id),
        amount=_money(refund.amount_minor, refund.currency),
        reason=refund.reason,
    )


def _money(minor: int, currency: str) -> common_pb2.Money:
    return common_pb2.Money(minor_units=minor, currency_code=currency)


def _ts(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp
