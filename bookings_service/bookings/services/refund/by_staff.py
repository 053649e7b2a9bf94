"""What finance does with money that goes back: a refund beside the rules, another try, a write-off. Each with a reason for the audit."""

from uuid import UUID

from django.db import transaction

from bookings_service.bookings import selectors
from bookings_service.bookings.contracts import BookingView
from bookings_service.bookings.domain.booking import is_reference
from bookings_service.bookings.domain.reasons import clean_note
from bookings_service.bookings.models import Booking
from bookings_service.payments import ledger
from bookings_service.payments.contracts import RefundView
from bookings_service.payments.domain import RefundStatus, check_refund_move
from bookings_service.payments.mappers import refund_view
from bookings_service.payments.models import Refund
from bookings_service.payments.refunds import request_refund
from bookings_service.payments.refusals import NothingToWriteOff, RefundTooLarge
from shared.db import database_now
from shared.errors import Invalid, NotFound
from shared.idempotency.attempts import Attempt
from shared.money import Money


def refund_booking(
    *, reference: str, amount: Money, reason: str, staff_id: UUID, idempotency_key: str
) -> tuple[list[RefundView], BookingView]:
    """Give `amount` back without cancelling anything, once per key; one refund for each payment it is taken from.

    Raises NotFound; Invalid for nothing, less than nothing, another currency or no reason; RefundTooLarge beyond what is left of what was
    captured; KeyReused, InFlight.
    """
    note = clean_note(reason)
    if amount.minor <= 0:
        raise Invalid(field="amount")
    command = {"refund": reference, "minor": amount.minor, "currency": amount.currency}
    attempt = Attempt(owner=staff_id, key=idempotency_key, request=command)
    with transaction.atomic(), attempt.lock():
        found = Booking.objects.select_for_update().filter(reference=reference)
        booking = found.first() if is_reference(reference) else None
        if booking is None:
            raise NotFound
        if first := attempt.earlier_result():
            together = Refund.objects.get(id=first).created_at
            refunds = list(Refund.objects.filter(booking=booking, staff_id=staff_id, created_at=together))
            return [refund_view(refund) for refund in refunds], selectors.view_of(booking)
        if amount.currency != booking.currency:
            raise Invalid(field="currency")
        if amount > (left := ledger.refundable(booking.id, booking.currency)):
            raise RefundTooLarge(field="amount", most=str(left))
        refunds = request_refund(
            booking.id, amount=amount, reason="GIVEN_BY_STAFF", now=database_now(), note=note, staff_id=staff_id
        )
        attempt.succeeded(result=refunds[0].id)
        return [refund_view(refund) for refund in refunds], selectors.view_of(booking)


def retry_refund(*, refund_id: UUID, reason: str, staff_id: UUID) -> RefundView:
    """Have the provider asked again for a refund that failed. Raises NotFound, IllegalTransition, Invalid where there is no reason."""
    note = clean_note(reason)
    with transaction.atomic():
        refund = _locked(refund_id)
        if refund.written_off_at is not None:
            raise NothingToWriteOff
        check_refund_move(RefundStatus(refund.status), RefundStatus.PROCESSING)
        refund.status, refund.attempts, refund.due_at = RefundStatus.PROCESSING, 0, database_now()
        refund.staff_id, refund.note = staff_id, note
        refund.save()
        return refund_view(refund)


def write_off_refund(*, refund_id: UUID, reason: str, staff_id: UUID) -> RefundView:
    """Book a refund that failed as never to be paid out by the provider. Raises NotFound, NothingToWriteOff, Invalid without a reason."""
    note = clean_note(reason)
    with transaction.atomic():
        refund = _locked(refund_id)
        if refund.status != RefundStatus.FAILED or refund.written_off_at is not None:
            raise NothingToWriteOff
        now = database_now()
        amount = Money.from_minor(refund.amount_minor, refund.currency)
        ledger.record_write_off(refund.booking_id, movement=refund.id, amount=amount, now=now)
        refund.written_off_at, refund.staff_id, refund.note = now, staff_id, note
        refund.save(update_fields=["written_off_at", "staff_id", "note"])
        return refund_view(refund)


def _locked(refund_id: UUID) -> Refund:
    """Return the refund under its booking's lock and its own."""
    found = Refund.objects.filter(id=refund_id).first()
    if found is None:
        raise NotFound
    Booking.objects.select_for_update().get(id=found.booking_id)
    return Refund.objects.select_for_update().get(id=refund_id)
