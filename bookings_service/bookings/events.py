"""The events of bookings, seats and the waiting list. They carry ids and amounts, and no names.

For a booking, a function here returns an `EventBuilder`: services/booking/transition.py gives it the changed booking
and the new history entry. For seats and the waiting list, a function returns the message itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from bookings_service.bookings.domain.departure_change import Move, MoveSize
from bookings_service.bookings.json_columns import lines_from_json
from bookings_service.bookings.models import Booking, BookingEvent, SeatInventory, WaitlistEntry
from bookings_service.payments import ledger
from bookings_service.payments.models import Payment, Refund
from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1 import bookings_pb2 as pb
from shared.events import event_type
from shared.money import Money
from shared.rpc.mapping import money_to_proto, text_to_proto, ts
from shared.text import Text

UNANSWERED: Final = pb.WAITLIST_EXPIRY_REASON_UNANSWERED
DEPARTURE_CLOSED: Final = pb.WAITLIST_EXPIRY_REASON_DEPARTURE_CLOSED

_MOVED: Final[Mapping[MoveSize, Text]] = {
    MoveSize.BACK: Text(
        en="The organiser moved the departure back to the dates that you agreed to.",
        fr="L’organisateur a remis le départ aux dates que vous aviez acceptées.",
    ),
    MoveSize.SMALL: Text(
        en="The organiser moved the departure a little. Please note the new times.",
        fr="L’organisateur a légèrement déplacé le départ. Notez les nouveaux horaires.",
    ),
    MoveSize.LARGE: Text(
        en="The organiser moved the departure. Accept the new dates, or cancel free of charge in time.",
        fr="L’organisateur a déplacé le départ. Acceptez les nouvelles dates ou annulez sans frais à temps.",
    ),
}

EventT = TypeVar("EventT", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class EventBuilder(Generic[EventT]):
    """Makes the event of a change of a booking.

    The message class, and the text that the traveller reads, are known before the change. `fill` makes the message
    from the changed booking and its new history entry.
    """

    message: type[EventT]
    text: Text
    fill: Callable[[pb.BookingSnapshot, pb.HistoryEntry], EventT]

    @property
    def type(self) -> str:
        """The type in the history, such as "booking.cancelled".

        It follows from the message class, so the two always agree.
        """
        return event_type(self.message).type.removeprefix("travel.bookings.").removesuffix(".v1")

    def build(self, booking: Booking, history_entry: BookingEvent) -> EventT:
        """Return the message for the changed booking and the history entry just written."""
        return self.fill(snapshot(booking), _history_entry(history_entry))


def created() -> EventBuilder[pb.BookingCreated]:
    """Return the builder for a new booking."""
    return EventBuilder(
        pb.BookingCreated,
        Text(en="Seats held, waiting for payment.", fr="Places retenues, en attente de paiement."),
        lambda booking, history_entry: pb.BookingCreated(booking=booking, entry=history_entry),
    )


def confirmed() -> EventBuilder[pb.BookingConfirmed]:
    """Return the builder for a booking that was paid."""
    return EventBuilder(
        pb.BookingConfirmed,
        Text(en="Booking confirmed.", fr="Réservation confirmée."),
        lambda booking, history_entry: pb.BookingConfirmed(booking=booking, entry=history_entry),
    )


def hold_extended() -> EventBuilder[pb.BookingHoldExtended]:
    """Return the builder for a hold that lasts longer, because a payment is live."""
    return EventBuilder(
        pb.BookingHoldExtended,
        Text(
            en="The seats are held a little longer while the payment is processed.",
            fr="Les places restent retenues pendant le traitement du paiement.",
        ),
        lambda booking, history_entry: pb.BookingHoldExtended(booking=booking, entry=history_entry),
    )


def cancelled(*, refund: Money) -> EventBuilder[pb.BookingCancelled]:
    """Return the builder for a cancelled booking of which `refund` is refunded."""
    return EventBuilder(
        pb.BookingCancelled,
        Text(en="Booking cancelled.", fr="Réservation annulée."),
        lambda booking, history_entry: pb.BookingCancelled(
            booking=booking, entry=history_entry, refund=money_to_proto(refund)
        ),
    )


def passengers_cancelled(*, seats: int, refund: Money) -> EventBuilder[pb.BookingPassengersCancelled]:
    """Return the builder for `seats` cancelled passengers, for whom `refund` is refunded."""
    return EventBuilder(
        pb.BookingPassengersCancelled,
        Text(
            en="Some passengers were cancelled; the others travel.",
            fr="Des passagers ont été annulés ; les autres voyagent.",
        ),
        lambda booking, history_entry: pb.BookingPassengersCancelled(
            booking=booking, entry=history_entry, seats_cancelled=seats, refund=money_to_proto(refund)
        ),
    )


def passenger_renamed(*, passenger_id: UUID) -> EventBuilder[pb.BookingPassengerRenamed]:
    """Return the builder for a corrected name. The event does not carry the name."""
    return EventBuilder(
        pb.BookingPassengerRenamed,
        Text(en="A passenger’s name was corrected.", fr="Le nom d’un passager a été corrigé."),
        lambda booking, history_entry: pb.BookingPassengerRenamed(
            booking=booking, entry=history_entry, passenger_id=str(passenger_id)
        ),
    )


def departure_changed(change: Move, *, reason: str) -> EventBuilder[pb.BookingDepartureChanged]:
    """Return the builder for a booking whose departure was moved. `reason` is in the words of staff."""
    return EventBuilder(
        pb.BookingDepartureChanged,
        _MOVED[change.size],
        lambda booking, history_entry: pb.BookingDepartureChanged(
            booking=booking, entry=history_entry, change_reason=reason,
            previous_starts_at=ts(change.previous.starts_at), previous_ends_at=ts(change.previous.ends_at),
            free_cancellation_until=ts(change.free_cancellation_until),
        ),
    )  # fmt: skip


def change_accepted() -> EventBuilder[pb.BookingChangeAccepted]:
    """Return the builder for new dates that the traveller accepted."""
    return EventBuilder(
        pb.BookingChangeAccepted,
        Text(en="The new dates were accepted.", fr="Les nouvelles dates ont été acceptées."),
        lambda booking, history_entry: pb.BookingChangeAccepted(booking=booking, entry=history_entry),
    )


def payment_succeeded(payment: Payment) -> EventBuilder[pb.PaymentSucceeded]:
    """Return the builder for a captured payment."""
    return EventBuilder(
        pb.PaymentSucceeded,
        Text(en="Payment received.", fr="Paiement reçu."),
        lambda booking, history_entry: pb.PaymentSucceeded(
            booking=booking, entry=history_entry, payment=_payment(payment)
        ),
    )


def payment_failed(payment: Payment) -> EventBuilder[pb.PaymentFailed]:
    """Return the builder for a failed payment."""
    return EventBuilder(
        pb.PaymentFailed,
        Text(en="The payment did not succeed.", fr="Le paiement n’a pas abouti."),
        lambda booking, history_entry: pb.PaymentFailed(
            booking=booking, entry=history_entry, payment=_payment(payment)
        ),
    )


def refund_succeeded(refund: Refund) -> EventBuilder[pb.RefundSucceeded]:
    """Return the builder for a refund that was paid out."""
    return EventBuilder(
        pb.RefundSucceeded,
        Text(en="The refund was paid out.", fr="Le remboursement a été versé."),
        lambda booking, history_entry: pb.RefundSucceeded(booking=booking, entry=history_entry, refund=_refund(refund)),
    )


def refund_failed(refund: Refund) -> EventBuilder[pb.RefundFailed]:
    """Return the builder for a refund that did not succeed."""
    return EventBuilder(
        pb.RefundFailed,
        Text(en="The refund did not succeed yet.", fr="Le remboursement n’a pas encore abouti."),
        lambda booking, history_entry: pb.RefundFailed(booking=booking, entry=history_entry, refund=_refund(refund)),
    )


def waitlist_offered(entry: WaitlistEntry) -> pb.WaitlistOffered:
    """Return the event of seats that are held for an entry of the waiting list."""
    return pb.WaitlistOffered(entry=_waitlist(entry), offered_until=ts(entry.offered_until))


def waitlist_expired(entry: WaitlistEntry, reason: "pb.WaitlistExpiryReason.ValueType") -> pb.WaitlistExpired:
    """Return the event of an entry that expired: its offer ended, or its departure can no longer be booked."""
    return pb.WaitlistExpired(entry=_waitlist(entry), reason=reason)


def inventory_changed(row: SeatInventory) -> pb.InventoryChanged:
    """Return the event of a departure's changed seats."""
    return pb.InventoryChanged(
        departure_id=str(row.departure_id),
        capacity=row.capacity,
        held=row.held,
        sold=row.sold,
        seats_available=0 if row.closed else row.free_seats,
        sequence=row.sequence,
    )


def snapshot(booking: Booking) -> pb.BookingSnapshot:
    """Return the booking as it is now, without passengers' names."""
    is_new = booking.sequence == 1  # saves a query: a new booking has no payment
    paid, refunded = (0, 0) if is_new else ledger.paid_and_refunded([booking.id]).get(booking.id, (0, 0))
    return pb.BookingSnapshot(
        booking_id=str(booking.id),
        reference=booking.reference,
        traveller_id=str(booking.traveller_id),
        departure_id=str(booking.departure_id),
        state=pb.BookingState.Value(f"BOOKING_STATE_{booking.status}"),
        reason=booking.reason,
        title=common_pb2.LocalizedText(en=booking.title_en, fr=booking.title_fr),
        starts_at=ts(booking.starts_at),
        ends_at=ts(booking.ends_at),
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
        total=money_to_proto(Money.from_minor(booking.total_minor, booking.currency)),
        paid=money_to_proto(Money.from_minor(paid, booking.currency)),
        refunded=money_to_proto(Money.from_minor(refunded, booking.currency)),
        hold_expires_at=ts(booking.hold_expires_at),
        sequence=booking.sequence,
    )


def _history_entry(history_entry: BookingEvent) -> pb.HistoryEntry:
    return pb.HistoryEntry(
        sequence=history_entry.sequence,
        type=history_entry.type,
        at=ts(history_entry.at),
        actor=history_entry.actor,
        message=common_pb2.LocalizedText(en=history_entry.message_en, fr=history_entry.message_fr),
    )


def _waitlist(entry: WaitlistEntry) -> pb.WaitlistSnapshot:
    return pb.WaitlistSnapshot(
        entry_id=str(entry.id),
        traveller_id=str(entry.traveller_id),
        departure_id=str(entry.departure_id),
        seats=entry.seats,
        title=common_pb2.LocalizedText(en=entry.title_en, fr=entry.title_fr),
        starts_at=ts(entry.starts_at),
        time_zone=entry.time_zone,
        sequence=entry.sequence,
    )


def _payment(payment: Payment) -> pb.PaymentSnapshot:
    return pb.PaymentSnapshot(
        payment_id=str(payment.id),
        amount=money_to_proto(Money.from_minor(payment.amount_minor, payment.currency)),
        provider=payment.provider,
        failure_code=payment.failure_code,
    )


def _refund(refund: Refund) -> pb.RefundSnapshot:
    return pb.RefundSnapshot(
        refund_id=str(refund.id),
        payment_id=str(refund.payment_id),
        amount=money_to_proto(Money.from_minor(refund.amount_minor, refund.currency)),
        reason=refund.reason,
    )
