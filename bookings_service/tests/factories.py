"""Values for tests, and helpers that let time pass by changing rows, never by changing the clock."""

import hashlib
import hmac
import json
import time
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import F

from bookings_service.bookings.contracts import CreateBooking, PassengerDetails, PassengerKind, QuoteView
from bookings_service.bookings.models import Booking, Quote, WaitlistEntry
from bookings_service.payments.models import Payment, Refund


def party(*, adults: int = 2, children: int = 0) -> tuple[PassengerDetails, ...]:
    """Return passengers."""
    return tuple(
        [PassengerDetails(f"Ann{'a' * n}", "Lindqvist", PassengerKind.ADULT) for n in range(adults)]
        + [
            PassengerDetails(f"Bo{'b' * n}", "Lindqvist", PassengerKind.CHILD, date(2020, 5, 4))
            for n in range(children)
        ]
    )


def create_booking_command(quote: QuoteView, *, key: str | None = None, **changes: Any) -> CreateBooking:
    """Return the command that books `quote` for the party of the quote."""
    fields = {
        "quote_id": quote.id,
        "passengers": party(adults=quote.adults, children=quote.children),
        "idempotency_key": key or str(uuid4()),
        **changes,
    }
    return CreateBooking(**fields)


def end_hold(booking_id: UUID) -> None:
    """Make the hold of a booking end in the past."""
    Booking.objects.filter(id=booking_id).update(hold_expires_at=F("hold_expires_at") - timedelta(hours=2))


def end_quote(quote_id: UUID) -> None:
    """Make a quote expire in the past."""
    Quote.objects.filter(id=quote_id).update(expires_at=F("expires_at") - timedelta(hours=2))


def end_offer(entry_id: UUID) -> None:
    """Make an offer to the waiting list end in the past."""
    WaitlistEntry.objects.filter(id=entry_id).update(offered_until=F("offered_until") - timedelta(days=1))


def make_payment_stale(payment_id: UUID) -> None:
    """Make the last question about a payment five minutes old, so that the clock asks again."""
    Payment.objects.filter(id=payment_id).update(asked_at=F("asked_at") - timedelta(minutes=5))


def make_refunds_due() -> None:
    """Make every refund due now."""
    Refund.objects.update(due_at=F("due_at") - timedelta(days=1))


def webhook(
    payment: Payment,
    *,
    secret: str,
    status: str = "SUCCEEDED",
    event_id: str | None = None,
    at: int | None = None,
    **changes: Any,
) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a webhook about `payment`, with a valid signature."""
    stamp = int(time.time()) if at is None else at
    fields = {
        "key": str(payment.id),
        "status": status,
        "amount": payment.amount_minor,
        "currency": payment.currency,
        **changes,
    }
    body = json.dumps(
        {"id": event_id or f"evt_{uuid4().hex}", "type": f"payment.{status.lower()}", "payment": fields}
    ).encode()
    signed = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Payment-Signature": f"t={stamp},v1={signed}"}, body
