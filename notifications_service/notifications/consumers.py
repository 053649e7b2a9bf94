"""The handlers of other services' events. Each runs once per event, in the transaction of its inbox row."""

import dataclasses
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.travel.common.v1 import common_pb2
from contracts.travel.events.v1.bookings_pb2 import (
    BOOKING_STATE_PENDING,
    WAITLIST_EXPIRY_REASON_UNANSWERED,
    BookingCancelled,
    BookingChangeAccepted,
    BookingConfirmed,
    BookingCreated,
    BookingDepartureChanged,
    BookingHoldExtended,
    BookingPassengerRenamed,
    BookingPassengersCancelled,
    BookingSnapshot,
    PaymentFailed,
    PaymentSucceeded,
    RefundFailed,
    RefundSucceeded,
    WaitlistExpired,
    WaitlistOffered,
    WaitlistSnapshot,
)
from contracts.travel.events.v1.users_pb2 import (
    LINK_PURPOSE_ALREADY_REGISTERED,
    LINK_PURPOSE_CONFIRM_EMAIL_CHANGE,
    LINK_PURPOSE_EMAIL_CHANGE_REQUESTED,
    LINK_PURPOSE_EMAIL_CHANGED,
    LINK_PURPOSE_NEW_DEVICE,
    LINK_PURPOSE_NOBODY,
    LINK_PURPOSE_PASSWORD_CHANGED,
    LINK_PURPOSE_PHONE_CHANGED,
    LINK_PURPOSE_RESET_PASSWORD,
    LINK_PURPOSE_REUSE_DETECTED,
    LINK_PURPOSE_SESSIONS_ENDED,
    LINK_PURPOSE_VERIFY_EMAIL,
    UserLinkRequested,
    UserPhoneCodeRequested,
    UserRegistered,
    UserSessionRevoked,
    UserSignedInFromNewDevice,
    UserUpdated,
    UserVerified,
)
from notifications_service.billing import selectors as billing_selectors
from notifications_service.billing import services as billing
from notifications_service.billing.contracts import Trip
from notifications_service.billing.domain import InvoiceDoesNotAddUp, PriceLine
from notifications_service.notifications.contracts import BookingFacts, MoveFacts, OfferFacts
from notifications_service.notifications.domain import Kind, cancellation_kind
from notifications_service.notifications.services import request
from shared.cloudevents import BadEvent
from shared.kafka import NeedsUpgrade, Received, handles, ignores, parsing
from shared.money import Money
from shared.rpc.mapping import from_ts, money_from_proto, text_from_proto

# A payment with one of these codes was refused in the answer to the traveller, so no mail repeats it.
_REFUSED_IN_THE_ANSWER = {"invalid_method", "provider_unavailable"}
_LINK_KINDS: Final = {
    LINK_PURPOSE_VERIFY_EMAIL: Kind.VERIFY_EMAIL,
    LINK_PURPOSE_ALREADY_REGISTERED: Kind.ALREADY_REGISTERED,
    LINK_PURPOSE_RESET_PASSWORD: Kind.RESET_PASSWORD,
    LINK_PURPOSE_CONFIRM_EMAIL_CHANGE: Kind.CONFIRM_EMAIL_CHANGE,
    LINK_PURPOSE_EMAIL_CHANGED: Kind.EMAIL_CHANGED,
    LINK_PURPOSE_EMAIL_CHANGE_REQUESTED: Kind.EMAIL_CHANGE_REQUESTED,
    LINK_PURPOSE_PASSWORD_CHANGED: Kind.PASSWORD_CHANGED,
    LINK_PURPOSE_PHONE_CHANGED: Kind.PHONE_CHANGED,
    LINK_PURPOSE_NEW_DEVICE: Kind.NEW_DEVICE,
    LINK_PURPOSE_REUSE_DETECTED: Kind.REUSE_DETECTED,
    LINK_PURPOSE_SESSIONS_ENDED: Kind.SESSIONS_ENDED,
}

# A traveller gets no mail of these, or another event asks for it: `link_requested` for a new device.
ignores(BookingCreated, BookingChangeAccepted, BookingHoldExtended, PaymentSucceeded, RefundFailed)
ignores(UserRegistered, UserVerified, UserUpdated, UserSessionRevoked, UserSignedInFromNewDevice)


@handles(BookingConfirmed)
def on_booking_confirmed(event: BookingConfirmed, *, received: Received) -> None:
    """Issue the invoice, unless it was issued before, and request the confirmation with it attached."""
    booking = _facts(event.booking)
    person_id = _id(event.booking.traveller_id)
    issued = billing_selectors.invoice_of_booking(booking_id=booking.booking_id) if received.again else None
    try:
        invoice = issued or billing.issue_invoice(
            person_id=person_id,
            booking_id=booking.booking_id,
            reference=booking.reference,
            trip=booking.trip,
            lines=booking.lines,
            total=booking.total,
        )
    except InvoiceDoesNotAddUp as error:
        raise BadEvent(str(error)) from error
    request(kind=Kind.BOOKING_CONFIRMED, person_id=person_id, received=received, booking=booking, attach=invoice)


@handles(BookingCancelled)
def on_booking_cancelled(event: BookingCancelled, *, received: Received) -> None:
    """Request the mail of the cancellation. It removes the trip from the calendar if a confirmation had added it."""
    booking = _facts(event.booking)
    request(
        kind=cancellation_kind(event.booking.reason),
        person_id=_id(event.booking.traveller_id),
        received=received,
        booking=booking,
        amount=_positive(event.refund),
        had_invite=billing_selectors.invoice_of_booking(booking_id=booking.booking_id) is not None,
    )


@handles(BookingPassengersCancelled)
def on_passengers_cancelled(event: BookingPassengersCancelled, *, received: Received) -> None:
    """Request the mail that some passengers were cancelled."""
    request(
        kind=Kind.BOOKING_CHANGED,
        person_id=_id(event.booking.traveller_id),
        received=received,
        booking=_facts(event.booking),
        amount=_positive(event.refund),
    )


@handles(BookingPassengerRenamed)
def on_passenger_renamed(event: BookingPassengerRenamed, *, received: Received) -> None:
    """Request the mail that a name was corrected. It does not have the name, because events never have names."""
    person_id = _id(event.booking.traveller_id)
    request(kind=Kind.PASSENGER_RENAMED, person_id=person_id, received=received, booking=_facts(event.booking))


@handles(BookingDepartureChanged)
def on_departure_moved(event: BookingDepartureChanged, *, received: Received) -> None:
    """Request the mail and the SMS with the new dates. A confirmed trip moves in the calendar too."""
    booking = _facts(event.booking)
    request(
        kind=Kind.DEPARTURE_MOVED,
        person_id=_id(event.booking.traveller_id),
        received=received,
        booking=booking,
        move=_move(event),
        had_invite=billing_selectors.invoice_of_booking(booking_id=booking.booking_id) is not None,
    )


@handles(WaitlistOffered)
def on_waitlist_offered(event: WaitlistOffered, *, received: Received) -> None:
    """Request the mail that seats are held for the waiting-list entry, and until when."""
    offer = dataclasses.replace(_offer(event.entry), offered_until=from_ts(event.offered_until))
    request(kind=Kind.WAITLIST_OFFERED, person_id=_id(event.entry.traveller_id), received=received, offer=offer)


@handles(WaitlistExpired)
def on_waitlist_expired(event: WaitlistExpired, *, received: Received) -> None:
    """Request the mail that the offer was not accepted in time, or that the waiting list was closed."""
    unanswered = event.reason == WAITLIST_EXPIRY_REASON_UNANSWERED
    kind = Kind.WAITLIST_EXPIRED if unanswered else Kind.WAITLIST_CLOSED
    request(kind=kind, person_id=_id(event.entry.traveller_id), received=received, offer=_offer(event.entry))


@handles(PaymentFailed)
def on_payment_failed(event: PaymentFailed, *, received: Received) -> None:
    """Request the mail that a payment failed, unless it was refused in the answer to the traveller."""
    if event.payment.failure_code in _REFUSED_IN_THE_ANSWER:
        return
    request(
        kind=Kind.PAYMENT_FAILED,
        person_id=_id(event.booking.traveller_id),
        received=received,
        booking=_facts(event.booking),
        amount=_money(event.payment.amount),
    )


@handles(RefundSucceeded)
def on_refund_succeeded(event: RefundSucceeded, *, received: Received) -> None:
    """Issue the credit note of the refund, unless it was issued before, and request the mail with it attached.

    A payment that came too late for its seats was never invoiced, so its refund has no credit note.
    """
    booking, amount = _facts(event.booking), _money(event.refund.amount)
    refund_id = _id(event.refund.refund_id)
    invoice = billing_selectors.invoice_of_booking(booking_id=booking.booking_id)
    credit_note = billing_selectors.credit_note_of_refund(refund_id=refund_id) if received.again else None
    if invoice and not credit_note:
        credit_note = billing.issue_credit_note(invoice=invoice, refund_id=refund_id, amount=amount)
    request(
        kind=Kind.REFUND,
        person_id=_id(event.booking.traveller_id),
        received=received,
        booking=booking,
        attach=credit_note,
        amount=amount,
    )


@handles(UserLinkRequested)
def on_link_requested(event: UserLinkRequested, *, received: Received) -> None:
    """Request the mail of this purpose. An address that is nobody's gets none.

    Raises NeedsUpgrade for a purpose that this release does not know. A security mail must not get lost, so the event
    waits for the upgrade. It is the only event of its key, so no other event waits behind it.
    """
    if event.purpose == LINK_PURPOSE_NOBODY:
        return
    if event.purpose not in _LINK_KINDS:
        raise NeedsUpgrade(f"unknown purpose of a link: {event.purpose}")
    request(
        kind=_LINK_KINDS[event.purpose],
        person_id=_id(event.user_id),
        received=received,
        link_request=str(_id(event.request_id)),
    )


@handles(UserPhoneCodeRequested)
def on_phone_code_requested(event: UserPhoneCodeRequested, *, received: Received) -> None:
    """Request the SMS with the code that verifies a phone number."""
    request(
        kind=Kind.VERIFY_PHONE, person_id=_id(event.user_id), received=received, code_request=str(_id(event.request_id))
    )


@parsing()
def _id(text: str) -> UUID:
    return UUID(text)


@parsing()
def _money(money: common_pb2.Money) -> Money:
    return money_from_proto(money)


@parsing()
def _facts(snapshot: BookingSnapshot) -> BookingFacts:
    starts_at, ends_at = from_ts(snapshot.starts_at), from_ts(snapshot.ends_at)
    if starts_at is None or ends_at is None:
        raise ValueError("the booking has no start or end")
    _check_shown_in(snapshot.time_zone, starts_at, ends_at)
    return BookingFacts(
        booking_id=UUID(snapshot.booking_id),
        reference=snapshot.reference,
        sequence=snapshot.sequence,
        trip=Trip(
            title=text_from_proto(snapshot.title),
            starts_at=starts_at,
            ends_at=ends_at,
            time_zone=snapshot.time_zone,
        ),
        seats=snapshot.seats,
        lines=tuple(
            PriceLine(
                label=text_from_proto(line.label),
                quantity=line.quantity,
                unit_price=money_from_proto(line.unit_price),
                total=money_from_proto(line.total),
                tax=money_from_proto(line.tax) if line.HasField("tax") else Money.zero(line.total.currency_code),
            )
            for line in snapshot.lines
        ),
        total=money_from_proto(snapshot.total),
        reason=snapshot.reason,
        held_until=from_ts(snapshot.hold_expires_at) if snapshot.state == BOOKING_STATE_PENDING else None,
    )


@parsing()
def _move(event: BookingDepartureChanged) -> MoveFacts:
    starts_at, ends_at = from_ts(event.previous_starts_at), from_ts(event.previous_ends_at)
    free_until, changed_at = from_ts(event.free_cancellation_until), from_ts(event.entry.at)
    if starts_at is None or ends_at is None:
        raise ValueError("the move has no previous start or end")
    _check_shown_in(event.booking.time_zone, starts_at, ends_at)
    is_free = free_until is not None and (changed_at is None or free_until > changed_at)
    return MoveFacts(
        previous_starts_at=starts_at,
        previous_ends_at=ends_at,
        reason=event.change_reason,
        free_until=free_until if is_free else None,
    )


@parsing()
def _offer(entry: WaitlistSnapshot) -> OfferFacts:
    starts_at = from_ts(entry.starts_at)
    if starts_at is None:
        raise ValueError("the waiting-list entry has no start")
    _check_shown_in(entry.time_zone, starts_at)
    return OfferFacts(
        title=text_from_proto(entry.title), starts_at=starts_at, time_zone=entry.time_zone, seats=entry.seats
    )


def _check_shown_in(time_zone: str, *instants: datetime) -> None:
    """Raises ValueError or another error of `parsing` for an unknown zone, and an instant that it cannot show."""
    for instant in instants:
        instant.astimezone(ZoneInfo(time_zone))


def _positive(money: common_pb2.Money) -> Money | None:
    return _money(money) if money.minor_units > 0 else None
