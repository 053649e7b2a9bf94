"""Pay a booking: record the payment with its key, then send it to the provider, outside any transaction."""

from django.conf import settings
from django.db import transaction

from bookings_service.bookings import selectors, wrong_references
from bookings_service.bookings.contracts import BookingView
from bookings_service.bookings.domain.booking import Status, is_reference
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services.payment.settle import settle_payment
from bookings_service.bookings.wrong_references import ReferenceNotFound
from bookings_service.payments.contracts import PaymentView
from bookings_service.payments.domain import LIVE, PaymentStatus
from bookings_service.payments.mapping import payment_view
from bookings_service.payments.models import Payment
from bookings_service.payments.provider_limit import provider_slot
from bookings_service.payments.providers import provider
from bookings_service.payments.providers.base import (
    NothingDone,
    OutcomeUnknown,
    PaymentMethodRefused,
    ProviderPayment,
    ProviderResult,
)
from bookings_service.payments.refusals import (
    AlreadyPaid,
    InvalidPaymentMethod,
    NotPayable,
    PaymentInProgress,
    ProviderUnavailable,
)
from bookings_service.payments.traces import current_trace
from shared.auth import Traveller
from shared.db import database_now
from shared.failpoints import failpoint
from shared.idempotency.requests import IdempotentRequest
from shared.money import Money


def pay_booking(
    *, reference: str, payment_method: str, idempotency_key: str, traveller: Traveller
) -> tuple[PaymentView, BookingView]:
    """Pay the booking's total once per key.

    A declined payment is returned as FAILED, one without an answer in time as PROCESSING.

    Raises NotFound, NotPayable, InvalidPaymentMethod, PaymentInProgress, AlreadyPaid, ProviderUnavailable, KeyReused,
    InFlight, RateLimited.
    """
    if not 0 < len(payment_method) <= 100 or not all("!" <= character <= "~" for character in payment_method):
        raise InvalidPaymentMethod(field="paymentMethod")
    command = {"pay": reference, "method": payment_method}
    idempotent_request = IdempotentRequest(owner=traveller.id, key=idempotency_key, request=command)
    with wrong_references.limited(traveller_id=traveller.id), idempotent_request.once() as write:
        if write.earlier_result:
            payment = Payment.objects.get(id=write.earlier_result)
            return payment_view(payment), selectors.booking_of_any_traveller(booking_id=payment.booking_id)
        payment = _record(reference=reference, method=payment_method, key=idempotency_key, traveller=traveller)
        write.succeeded(result=payment.id)
    failpoint("pay.recorded")
    send_to_provider(payment, idempotent_request=idempotent_request)
    payment.refresh_from_db()
    return payment_view(payment), selectors.booking_of_any_traveller(booking_id=payment.booking_id)


def send_to_provider(payment: Payment, *, idempotent_request: IdempotentRequest) -> None:
    """Send a payment that was just recorded to the provider, and apply its answer.

    Raises InvalidPaymentMethod, ProviderUnavailable. The payment is then FAILED, and its key can be used again.
    """
    try:
        with provider_slot():
            result = provider().pay(payment_to_send(payment))
    except OutcomeUnknown:
        result = ProviderResult(status=PaymentStatus.PROCESSING, amount=amount_of(payment))
    except PaymentMethodRefused:
        _give_up(payment, idempotent_request=idempotent_request, failure_code="invalid_method")
        raise InvalidPaymentMethod(field="paymentMethod") from None
    except NothingDone:
        _give_up(payment, idempotent_request=idempotent_request, failure_code="provider_unavailable")
        raise ProviderUnavailable from None
    failpoint("pay.answered")
    settle_payment(payment_id=payment.id, result=result)


def payment_to_send(payment: Payment) -> ProviderPayment:
    """Return the payment as the provider gets it.

    The key is the payment's id, so a repeated request charges nothing twice.
    """
    return ProviderPayment(
        key=str(payment.id), amount=amount_of(payment), method=payment.method, reference=payment.booking.reference
    )


def amount_of(payment: Payment) -> Money:
    """Return the payment's amount."""
    return Money.from_minor(payment.amount_minor, payment.currency)


def _record(*, reference: str, method: str, key: str, traveller: Traveller) -> Payment:
    now = database_now()
    own = Booking.objects.select_for_update().filter(reference=reference, traveller_id=traveller.id)
    booking = own.first() if is_reference(reference) else None
    if booking is None:
        raise ReferenceNotFound
    if booking.payments.filter(status__in=LIVE).exists():
        raise PaymentInProgress
    if booking.status == Status.CONFIRMED:
        raise AlreadyPaid
    if booking.status != Status.PENDING or booking.hold_expires_at is None or booking.hold_expires_at <= now:
        raise NotPayable
    return Payment.objects.create(
        booking=booking, amount_minor=booking.total_minor, currency=booking.currency, status=PaymentStatus.CREATED,
        provider=settings.PAYMENT_PROVIDER, method=method, idempotency_key=key, asked_at=now, created_at=now,
        **current_trace(),
    )  # fmt: skip


def _give_up(payment: Payment, *, idempotent_request: IdempotentRequest, failure_code: str) -> None:
    """Settle the payment as FAILED and forget its key, in one transaction: nothing was charged, so the client may try
    the key again.
    """
    with transaction.atomic():
        settle_payment(
            payment_id=payment.id,
            result=ProviderResult(PaymentStatus.FAILED, amount_of(payment), failure_code=failure_code),
        )
        idempotent_request.forget()
