"""Accept the new dates of a departure that was moved."""

from django.db import transaction

from bookings_service.bookings import events, selectors, wrong_references
from bookings_service.bookings.contracts import Actor, ActorKind, BookingView
from bookings_service.bookings.domain.booking import Status, is_reference
from bookings_service.bookings.models import Booking
from bookings_service.bookings.refusals import NotChanged
from bookings_service.bookings.services.booking.transition import save_with_history
from bookings_service.bookings.wrong_references import ReferenceNotFound
from shared.auth import Traveller
from shared.db import database_now


def accept_change(*, reference: str, traveller: Traveller) -> BookingView:
    """Accept the booking's new dates. Later moves are measured from them, and a cancellation is not free any more.

    A repeated call returns the booking as it is now.

    Raises NotFound if the booking is not the traveller's, NotChanged if the booking has no change, or is cancelled and
    its change was not accepted, RateLimited.
    """
    with wrong_references.limited(traveller_id=traveller.id), transaction.atomic():
        own = Booking.objects.select_for_update().filter(reference=reference, traveller_id=traveller.id)
        booking = own.first() if is_reference(reference) else None
        if booking is None:
            raise ReferenceNotFound
        if booking.change_accepted_at is None:
            if booking.changed_at is None or booking.status == Status.CANCELLED:
                raise NotChanged
            now = database_now()
            booking.change_accepted_at = now
            actor = Actor(ActorKind.TRAVELLER, traveller.id)
            save_with_history(booking, events.change_accepted(), actor=actor, now=now)
        return selectors.view_of(booking)
