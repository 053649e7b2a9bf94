"""Correcting a name: until the day before departure, of an active passenger, by the owner of the booking."""

import json

import pytest

from bookings_service.bookings import services
from bookings_service.bookings.contracts import BookingView
from bookings_service.bookings.models import BookingEvent, Passenger
from bookings_service.bookings.refusals import NotChangeable
from bookings_service.tests.buyer import Buyer, new_traveller
from bookings_service.tests.doubles import Destinations
from shared.errors import NotFound
from shared.ids import uuid7
from shared.names import InvalidName
from shared.outbox.models import OutboxEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]


def rename(buyer: Buyer, booking: BookingView, first: str = "Anna", last: str = "Lindqvist") -> BookingView:
    passenger = booking.passengers[0].id
    return services.rename_passenger(passenger_id=passenger, first_name=first, last_name=last, traveller=buyer.who)


def test_a_name_is_corrected(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())

    after = rename(buyer, booking, " Anna ", "Lindqvist-Ito")
    again = rename(buyer, booking, "Anna", "Lindqvist-Ito")

    assert [(p.first_name, p.last_name) for p in after.passengers] == [("Anna", "Lindqvist-Ito"), ("Anna", "Lindqvist")]
    assert (after.sequence, again) == (2, after)
    event = OutboxEvent.objects.get(type="travel.bookings.booking.passenger_renamed.v1")
    assert (event.sequence, json.loads(event.value)["passenger_id"]) == (2, str(booking.passengers[0].id))
    assert "Anna" not in str(event.value)


@pytest.mark.parametrize("name", ["", "a\x00b", "Ann\r\nBcc: x", "x" * 151, "{{ 7*7 }}"])
def test_an_invalid_name_is_refused(buyer: Buyer, destinations: Destinations, name: str) -> None:
    booking = buyer.book(destinations.publish())

    with pytest.raises(InvalidName) as refused:
        rename(buyer, booking, "Anna", name)

    assert refused.value.field == "lastName"
    assert BookingEvent.objects.count() == 1


def test_a_cancelled_passenger_is_not_renamed(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.pay(buyer.book(destinations.publish()))[1]
    buyer.cancel(booking, booking.passengers[0].id)
    with pytest.raises(NotChangeable):
        rename(buyer, booking)
    buyer.cancel(booking)
    with pytest.raises(NotChangeable):
        services.rename_passenger(
            passenger_id=booking.passengers[1].id, first_name="A", last_name="B", traveller=buyer.who
        )


def test_a_passenger_of_others_is_answered_as_unknown(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.book(destinations.publish())

    for passenger_id in (booking.passengers[0].id, uuid7()):
        with pytest.raises(NotFound):
            services.rename_passenger(
                passenger_id=passenger_id, first_name="Eve", last_name="E", traveller=new_traveller()
            )
    assert not Passenger.objects.filter(first_name="Eve").exists()
