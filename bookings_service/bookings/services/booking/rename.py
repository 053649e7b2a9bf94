"""Correct the name of a passenger."""

from uuid import UUID

from django.db import transaction

from bookings_service.bookings import events, selectors
from bookings_service.bookings.contracts import Actor, ActorKind, BookingView
from bookings_service.bookings.domain.booking import Status, check_renaming
from bookings_service.bookings.models import Booking, Passenger
from bookings_service.bookings.refusals import NotChangeable
from bookings_service.bookings.services.booking.transition import save_with_history
from shared.auth import Traveller
from shared.db import database_now
from shared.errors import NotFound
from shared.names import clean_name


def rename_passenger(*, passenger_id: UUID, first_name: str, last_name: str, traveller: Traveller) -> BookingView:
    """Correct a passenger's name, until the day before departure. The same name again changes nothing.

    Raises NotFound if the passenger is in none of the traveller's bookings, InvalidName, NotChangeable.
    """
    first, last = clean_name(first_name, field="firstName"), clean_name(last_name, field="lastName")
    with transaction.atomic():
        now = database_now()
        own = Booking.objects.select_for_update(of=("self",)).filter(
            passengers__id=passenger_id, traveller_id=traveller.id
        )
        booking = own.first()
        if booking is None:
            raise NotFound
        passenger = Passenger.objects.get(id=passenger_id)
        if booking.status == Status.CANCELLED or passenger.cancelled_at is not None:
            raise NotChangeable
        check_renaming(starts_at=booking.starts_at, time_zone=booking.time_zone, now=now)
        if (passenger.first_name, passenger.last_name) != (first, last):
            passenger.first_name, passenger.last_name = first, last
            passenger.save(update_fields=["first_name", "last_name"])
            actor = Actor(ActorKind.TRAVELLER, traveller.id)
            save_with_history(booking, events.passenger_renamed(passenger_id=passenger.id), actor=actor, now=now)
        return selectors.view_of(booking)
