"""A buyer: a traveller who acts through the services, as the API would."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.test import override_settings

from bookings_service.bookings import selectors, services
from bookings_service.bookings.contracts import BookingView, CreateQuote, QuoteView, WaitlistView
from bookings_service.bookings.services import pay_booking
from bookings_service.payments.contracts import PaymentView
from bookings_service.payments.providers import configured
from bookings_service.tests import doubles
from bookings_service.tests.factories import create_booking_command
from shared.auth import Traveller
from shared.auth import testing as auth
from shared.deadline import Deadline
from shared.ids import uuid7

UNANSWERED_SECONDS = 0.3  # long enough for the sandbox to receive a payment


def new_traveller(person_id: UUID | None = None) -> Traveller:
    """Return a traveller with their own token."""
    person_id, session_id = person_id or uuid7(), uuid7()
    return Traveller(person_id, session_id, token=auth.mint_access_token(person_id, session_id=session_id))


@dataclass
class Buyer:
    """A traveller who quotes, books, pays, cancels and waits, through the services."""

    destinations: doubles.Destinations
    who: Traveller = field(default_factory=new_traveller)

    def quote(
        self, departure_id: UUID, *, adults: int = 2, children: int = 0, entry: WaitlistView | None = None
    ) -> QuoteView:
        """Ask for a quote. If `entry` is given, the quote takes the seats offered to it."""
        command = CreateQuote(departure_id, adults, children, waitlist_entry_id=entry.id if entry else None)
        return services.create_quote(command=command, traveller=self.who, deadline=Deadline.after(5))

    def book_quote(self, quote: QuoteView, *, key: str | None = None, **changes: Any) -> BookingView:
        """Book a quote."""
        return services.create_booking(
            command=create_booking_command(quote, key=key, **changes), traveller=self.who, deadline=Deadline.after(5)
        )

    def join(self, departure_id: UUID, *, seats: int = 2) -> WaitlistView:
        """Join the waiting list of a departure."""
        return services.join_waitlist(
            departure_id=departure_id, seats=seats, traveller=self.who, deadline=Deadline.after(5)
        )

    def waitlist_entry(self, departure_id: UUID) -> WaitlistView:
        """Return the traveller's newest waiting-list entry for a departure."""
        entries = selectors.waitlist_of(traveller_ids=[self.who.id])[self.who.id]
        return next(entry for entry in entries if entry.departure_id == departure_id)

    def book(self, departure_id: UUID, *, adults: int = 2, children: int = 0) -> BookingView:
        """Quote and book."""
        return self.book_quote(self.quote(departure_id, adults=adults, children=children))

    def pay(
        self, booking: BookingView, method: str = "pm_ok", *, key: str | None = None
    ) -> tuple[PaymentView, BookingView]:
        """Pay a booking."""
        return pay_booking(
            reference=booking.reference, payment_method=method, idempotency_key=key or str(uuid4()), traveller=self.who
        )

    def pay_without_answer(self, booking: BookingView) -> PaymentView:
        """Pay with a method that the sandbox captures without answering; wait for the answer only briefly."""
        with override_settings(PROVIDER_SECONDS=UNANSWERED_SECONDS):
            configured.cache_clear()
            payment, _ = self.pay(booking, "pm_timeout")
        configured.cache_clear()
        return payment

    def cancel(self, booking: BookingView, *passenger_ids: UUID) -> BookingView:
        """Ask for a cancellation quote and confirm it."""
        quote = services.quote_cancellation(
            reference=booking.reference, passenger_ids=passenger_ids, traveller=self.who
        )
        return services.cancel_booking(cancellation_quote_id=quote.id, traveller=self.who)
