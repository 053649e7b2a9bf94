"""Staff cancel with a reason and a chosen percentage, refund, and retry or write off failed refunds."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from bookings_service.bookings import services
from bookings_service.bookings.contracts import BookingView, Seats
from bookings_service.bookings.models import Booking, BookingEvent, CancellationQuote
from bookings_service.bookings.refusals import QuoteOutdated
from bookings_service.bookings.services import refund_booking, retry_refund, write_off_refund
from bookings_service.bookings.services.refund import pay_out
from bookings_service.payments.domain import RefundStatus
from bookings_service.payments.models import LedgerEntry, Payment, Refund
from bookings_service.payments.refusals import RefundNeedsNoDecision, RefundTooLarge
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import make_refunds_due
from shared.errors import IllegalTransition, Invalid, KeyReused, NotFound
from shared.ids import uuid7
from shared.money import Money
from shared.testing import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]

AGENT = uuid7()
REASON = "Flood at the destination"


def euros(minor: int) -> Money:
    return Money.from_minor(minor, "EUR")


def account_sums(booking: BookingView) -> dict[str, int]:
    """Return the ledger's balance of each account."""
    sums = LedgerEntry.objects.filter(booking_id=booking.id).values_list("account").order_by("account")
    return dict(sums.annotate(Sum("amount_minor")))


def refund_minor(booking: BookingView, minor: int, *, key: str | None = None, **changes: str) -> BookingView:
    return refund_booking(
        reference=booking.reference, amount=euros(minor), staff_reason=changes.get("reason", REASON), staff_id=AGENT,
        idempotency_key=key or str(uuid4()),
    )[1]  # fmt: skip


@pytest.fixture
def paid(buyer: Buyer, destinations: Destinations) -> BookingView:
    """A confirmed booking of two adults for 1,000 euros, of which the rule of the trip refunds half."""
    departure = destinations.publish(capacity=4, policy=((1, 50),))
    return buyer.pay(buyer.book(departure))[1]


def test_an_agent_cancels_at_a_chosen_percentage(paid: BookingView, seats: Callable[[UUID], Seats]) -> None:
    quote = services.quote_cancellation_as_staff(
        reference=paid.reference, passenger_ids=(), staff_id=AGENT, staff_reason=f" {REASON} ", override_percent=80
    )
    after = services.cancel_as_staff(cancellation_quote_id=quote.id, staff_id=AGENT)
    again = services.cancel_as_staff(cancellation_quote_id=quote.id, staff_id=AGENT)

    assert (quote.refund, quote.kept) == (euros(80_000), euros(20_000))
    assert (after.status, after.reason, again) == ("CANCELLED", "CANCELLED_BY_STAFF", after)
    entry = BookingEvent.objects.get(booking_id=paid.id, type="booking.cancelled")
    assert (entry.actor, entry.actor_id, entry.note) == ("staff", AGENT, REASON)
    assert seats(paid.departure_id).sold == 0
    assert pay_out.pay_out_due() == 1
    assert account_sums(paid) == {"FEES": -20_000, "PROVIDER": 20_000, "TRAVELLER": 0}


def test_the_rule_of_the_trip_applies_without_a_percentage(paid: BookingView) -> None:
    quote = services.quote_cancellation_as_staff(
        reference=paid.reference, passenger_ids=[paid.passengers[0].id], staff_id=AGENT, staff_reason=REASON
    )
    after = services.cancel_as_staff(cancellation_quote_id=quote.id, staff_id=AGENT)

    assert (quote.refund, quote.kept, after.status) == (euros(25_000), euros(25_000), "CONFIRMED")
    pay_out.pay_out_due()
    assert account_sums(paid) == {"FEES": -25_000, "PROVIDER": 75_000, "TRAVELLER": -50_000}


@pytest.mark.parametrize("percent", [-1, 101])
def test_an_invalid_percentage_is_refused(paid: BookingView, percent: int) -> None:
    with pytest.raises(Invalid):
        services.quote_cancellation_as_staff(
            reference=paid.reference, passenger_ids=(), staff_id=AGENT, staff_reason=REASON, override_percent=percent
        )
    assert CancellationQuote.objects.count() == 0


@pytest.mark.parametrize("reason", ["", " \n", "x" * 301, "a\nb", "a\x00b", "\u202eb"])
def test_an_action_without_a_valid_reason_is_refused(paid: BookingView, reason: str) -> None:
    with pytest.raises(Invalid):
        services.quote_cancellation_as_staff(
            reference=paid.reference, passenger_ids=(), staff_id=AGENT, staff_reason=reason
        )  # fmt: skip
    with pytest.raises(Invalid):
        refund_minor(paid, 100, reason=reason)
    assert (CancellationQuote.objects.count(), Refund.objects.count()) == (0, 0)


def test_only_the_person_who_asked_for_a_quote_can_confirm_it(buyer: Buyer, paid: BookingView) -> None:
    of_staff = services.quote_cancellation_as_staff(
        reference=paid.reference, passenger_ids=(), staff_id=AGENT, staff_reason=REASON
    )
    own = services.quote_cancellation(reference=paid.reference, passenger_ids=(), traveller=buyer.who)

    with pytest.raises(NotFound):
        services.cancel_booking(cancellation_quote_id=of_staff.id, traveller=buyer.who)
    for quote, staff in ((own, AGENT), (of_staff, uuid7())):
        with pytest.raises(NotFound):
            services.cancel_as_staff(cancellation_quote_id=quote.id, staff_id=staff)
    assert Booking.objects.get().status == "CONFIRMED"


def test_a_refund_reduces_what_a_cancellation_refunds(buyer: Buyer, paid: BookingView) -> None:
    """An earlier quote is outdated if it promises more than is still refundable."""
    before = services.quote_cancellation(reference=paid.reference, passenger_ids=(), traveller=buyer.who)
    refund_minor(paid, 60_000)

    with pytest.raises(QuoteOutdated):
        services.cancel_booking(cancellation_quote_id=before.id, traveller=buyer.who)
    now = services.quote_cancellation(reference=paid.reference, passenger_ids=(), traveller=buyer.who)
    assert (now.refund, now.kept) == (euros(40_000), euros(0))
    services.cancel_booking(cancellation_quote_id=now.id, traveller=buyer.who)
    pay_out.pay_out_due()
    assert account_sums(paid) == {"PROVIDER": 0, "TRAVELLER": 0}


@pytest.mark.parametrize("minor", [0, -1])
def test_a_refund_of_zero_or_less_is_refused(paid: BookingView, minor: int) -> None:
    with pytest.raises(Invalid):
        refund_minor(paid, minor)
    assert Refund.objects.count() == 0


def test_no_more_than_is_refundable_is_refunded(paid: BookingView) -> None:
    refund_minor(paid, 99_999)

    with pytest.raises(RefundTooLarge) as refused:
        refund_minor(paid, 2)

    assert refused.value.params == {"most": "0.01 EUR"}
    assert refund_minor(paid, 1).refunds[1].amount == euros(1)


def test_the_constraints_refuse_invalid_refunds_without_the_services_validation(paid: BookingView) -> None:
    """The CHECK constraints of payment and refund refuse them even without the validation by the services."""
    payment = Payment.objects.get()
    with pytest.raises(IntegrityError, match="payment_never_refunds_more"), transaction.atomic():
        Payment.objects.filter(id=payment.id).update(refunded_minor=payment.amount_minor + 1)
    for minor in (0, -1):
        with pytest.raises(IntegrityError, match="refund_positive"), transaction.atomic():
            Refund.objects.create(
                payment=payment, booking_id=paid.id, amount_minor=minor, currency="EUR", status=RefundStatus.CREATED,
                reason="X", due_at=payment.created_at, created_at=payment.created_at,
            )  # fmt: skip


def test_eight_clicks_make_one_refund(paid: BookingView) -> None:
    """Seen failing (an error for every click but the first) if the key is not looked up under the booking's lock."""
    race([lambda: refund_minor(paid, 1_000, key="one")] * 8)
    assert refund_minor(paid, 1_000, key="one").refunds[0].amount == euros(1_000)

    assert Refund.objects.count() == 1
    with pytest.raises(KeyReused):
        refund_minor(paid, 1_001, key="one")


def test_concurrent_refunds_are_no_more_than_was_captured(paid: BookingView) -> None:
    """Seen failing without the booking's lock in refund_booking.

    The failure is an IntegrityError or, if the CHECK is dropped too, more is refunded than was captured.
    """
    outcomes = race([lambda: refund_minor(paid, 60_000)] * 6)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BookingView"] + ["RefundTooLarge"] * 5
    assert Payment.objects.get().refunded_minor == 60_000


@pytest.fixture
def failed(paid: BookingView) -> Refund:
    """A refund of 10 euros that failed for good."""
    refund_minor(paid, 1_000)
    refund = Refund.objects.get()
    pay_out.settle_refund(refund_id=refund.id, status=RefundStatus.FAILED)
    return refund


def test_a_failed_refund_can_be_retried(paid: BookingView, failed: Refund) -> None:
    assert retry_refund(refund_id=failed.id, staff_reason=REASON, staff_id=AGENT).status == "PROCESSING"
    make_refunds_due()

    assert pay_out.pay_out_due() == 1

    failed.refresh_from_db()
    assert (failed.status, failed.note, failed.staff_id) == ("SUCCEEDED", REASON, AGENT)
    with pytest.raises(IllegalTransition):
        retry_refund(refund_id=failed.id, staff_reason=REASON, staff_id=AGENT)
    with pytest.raises(RefundNeedsNoDecision):
        write_off_refund(refund_id=failed.id, staff_reason=REASON, staff_id=AGENT)


def test_a_failed_refund_is_written_off_once(paid: BookingView, failed: Refund) -> None:
    write_off_refund(refund_id=failed.id, staff_reason=REASON, staff_id=AGENT)

    for again in (write_off_refund, retry_refund):
        with pytest.raises(RefundNeedsNoDecision):
            again(refund_id=failed.id, staff_reason=REASON, staff_id=AGENT)

    assert account_sums(paid) == {"PROVIDER": 100_000, "TRAVELLER": -99_000, "WRITE_OFFS": -1_000}
    pay_out.settle_refund(
        refund_id=failed.id, status=RefundStatus.SUCCEEDED
    )  # a late answer of the provider is for finance
    assert account_sums(paid) == {"PROVIDER": 100_000, "TRAVELLER": -99_000, "WRITE_OFFS": -1_000}


def test_an_unknown_refund_or_booking_is_not_found(paid: BookingView) -> None:
    with pytest.raises(NotFound):
        retry_refund(refund_id=uuid7(), staff_reason=REASON, staff_id=AGENT)
    for reference in ("ZZZZZZZZ", "", "'; --"):
        with pytest.raises(NotFound):
            services.quote_cancellation_as_staff(
                reference=reference, passenger_ids=(), staff_id=AGENT, staff_reason=REASON
            )  # fmt: skip
