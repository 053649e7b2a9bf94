"""reconcile_inventory --catalogue takes missed changes over, and reports the differences that people must decide."""

import logging
from datetime import timedelta

import pytest
from django.db.models import F

from bookings_service.bookings.models import SeatInventory
from bookings_service.bookings.services import mark_cancelled
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.commands import last, run
from bookings_service.tests.doubles import Destinations
from contracts.travel.destinations.v1 import destinations_pb2

pytestmark = pytest.mark.django_db(transaction=True)

CLOSED = destinations_pb2.DEPARTURE_STATUS_CLOSED


def test_no_difference_is_reported_if_the_catalogue_agrees(buyer: Buyer, destinations: Destinations) -> None:
    buyer.quote(destinations.publish())
    buyer.quote(destinations.publish())

    code, output = run("reconcile_inventory", "--catalogue")

    assert (code, last(output)) == (0, "Catalogue: 2 departures to come, 0 differ, 0 set right, 0 oversold.")


def test_a_missed_change_is_shown_and_taken_over_with_apply(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(capacity=10)
    buyer.quote(departure)
    destinations.publish(departure_id=departure, capacity=8, version=2, status=CLOSED)

    code, output = run("reconcile_inventory", "--catalogue")
    assert (code, last(output)) == (1, "Catalogue: 1 departures to come, 1 differ, 0 set right, 0 oversold.")
    assert str(departure) in output
    assert SeatInventory.objects.filter(capacity=10, closed=False).exists()

    code, output = run("reconcile_inventory", "--catalogue", "--apply")
    assert (code, last(output)) == (0, "Catalogue: 1 departures to come, 1 differ, 1 set right, 0 oversold.")
    assert SeatInventory.objects.filter(capacity=8, closed=True, version=2).exists()


def test_an_oversold_departure_sells_nothing_more_and_nobody_loses_a_seat(
    buyer: Buyer, destinations: Destinations, caplog: pytest.LogCaptureFixture
) -> None:
    departure = destinations.publish(capacity=10)
    booking = buyer.book(departure, adults=3)
    destinations.publish(departure_id=departure, capacity=2, version=2)

    with caplog.at_level(logging.ERROR):
        code, output = run("reconcile_inventory", "--catalogue", "--apply")

    assert (code, last(output)) == (1, "Catalogue: 1 departures to come, 1 differ, 0 set right, 1 oversold.")
    assert "OVERSOLD" in output
    assert "alarm:capacity_below_taken" in caplog.text
    assert str(departure) in caplog.text
    assert SeatInventory.objects.filter(capacity=3, held=3).exists()
    buyer.cancel(booking)
    code, output = run("reconcile_inventory", "--catalogue", "--apply")
    assert (code, last(output)) == (0, "Catalogue: 1 departures to come, 1 differ, 1 set right, 0 oversold.")
    assert SeatInventory.objects.filter(capacity=2, held=0).exists()


def test_a_departure_cancelled_only_here_is_reported(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish()
    buyer.quote(departure)
    mark_cancelled(departure_id=departure)

    code, output = run("reconcile_inventory", "--catalogue", "--apply")

    assert (code, last(output)) == (1, "Catalogue: 1 departures to come, 1 differ, 0 set right, 0 oversold.")
    assert "cancelled only in bookings_service" in output
    assert SeatInventory.objects.filter(cancelled=True, closed=True).exists()


def test_a_departure_unknown_to_the_catalogue_is_reported(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish()
    buyer.quote(departure)
    destinations.departures.pop(str(departure))

    code, output = run("reconcile_inventory", "--catalogue", "--apply")

    assert (code, last(output)) == (1, "Catalogue: 1 departures to come, 1 differ, 0 set right, 0 oversold.")
    assert "unknown to the catalogue" in output


def test_a_capacity_that_the_catalogue_is_about_to_commit_is_no_difference(
    buyer: Buyer, destinations: Destinations
) -> None:
    buyer.quote(destinations.publish(capacity=10))
    SeatInventory.objects.update(capacity=6, version=F("version") + 1)

    assert run("reconcile_inventory", "--catalogue")[0] == 0


def test_past_departures_are_not_compared(buyer: Buyer, destinations: Destinations) -> None:
    buyer.quote(destinations.publish(capacity=10))
    SeatInventory.objects.update(capacity=6, starts_at=F("starts_at") - timedelta(days=61))

    code, output = run("reconcile_inventory", "--catalogue")

    assert (code, last(output)) == (0, "Catalogue: 0 departures to come, 0 differ, 0 set right, 0 oversold.")


def test_an_unavailable_catalogue_is_reported_in_one_line(buyer: Buyer, destinations: Destinations) -> None:
    buyer.quote(destinations.publish())
    destinations.unavailable = True

    code, output = run("reconcile_inventory", "--catalogue")

    assert code == 1
    assert len(output.splitlines()) == 1
