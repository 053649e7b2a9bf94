"""Departures that too few travellers have booked: listed for staff, who alone cancel them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from destinations_service.catalogue import selectors
from destinations_service.catalogue.models import Departure
from destinations_service.tests.factories import DepartureFactory, TripFactory

pytestmark = pytest.mark.django_db


def departure(*, days: int, taken: int, minimum: int | None = 4, **fields):
    trip = TripFactory(minimum_group=minimum, minimum_days_before=14)
    return DepartureFactory(
        trip=trip, starts_at=datetime.now(UTC) + timedelta(days=days), seats_taken=taken, **fields
    )  # fmt: skip


@pytest.fixture
def below() -> Departure:
    """A departure below its minimum, among others that are not listed."""
    departure(days=10, taken=4)  # enough travellers
    departure(days=20, taken=0)  # travellers have time to book
    departure(days=10, taken=0, minimum=None)
    departure(days=10, taken=0, status="CANCELLED")
    departure(days=-1, taken=0)
    return departure(days=10, taken=3)


def test_departures_below_their_minimum_are_selected_when_they_are_near(below):
    assert list(selectors.below_minimum(Departure.objects.all())) == [below]


def test_staff_list_them_with_the_seats_taken_and_nothing_is_cancelled(below):
    client = Client()
    client.force_login(
        get_user_model().objects.create_superuser("editor@travel.example"),
        backend="shared.staff_sign_in.StaffBackend",
    )

    answer = client.get("/admin/catalogue/departure/", {"minimum": "below"})

    assert [row.id for row in answer.context["cl"].result_list] == [below.id]
    assert "3 of 4" in answer.content.decode()
    assert not Departure.objects.filter(status="CANCELLED", id=below.id).exists()
