"""The admin of the catalogue: every save goes through the services, and a refusal is shown at its field."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from destinations_service.catalogue.models import Departure
from destinations_service.tests.conftest import Bookings
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.outbox.models import OutboxEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    client = Client()
    client.force_login(
        get_user_model().objects.create_superuser("editor@travel.example"),
        backend="shared.staff_sign_in.StaffBackend",
    )
    return client


def form(**changes: Any) -> dict[str, Any]:
    starts = datetime.now(UTC) + timedelta(days=40)
    ends = starts + timedelta(days=4)
    return {
        "starts_at_0": f"{starts:%Y-%m-%d}", "starts_at_1": "08:00:00", "ends_at_0": f"{ends:%Y-%m-%d}",
        "ends_at_1": "18:00:00", "capacity": 8, "adult_price": "120.00", "child_price": "60.00", "status": "OPEN", **changes,
    }  # fmt: skip


def test_a_new_departure_is_scheduled_and_published(editor):
    trip = TripFactory(destination=DestinationFactory(time_zone="Asia/Tokyo"))

    response = editor.post("/admin/catalogue/departure/add/", form(trip=str(trip.id)))

    assert response.status_code == 302
    departure = Departure.objects.get(trip=trip)
    assert (departure.capacity, departure.time_zone, departure.version) == (8, "Asia/Tokyo", 1)
    assert OutboxEvent.objects.get(key=str(departure.id)).type == "travel.destinations.departure.scheduled.v1"


@pytest.mark.parametrize(
    ("changes", "field"), [({"adult_price": "0"}, "adult_price"), ({"ends_at_0": "2020-01-01"}, "ends_at")]
)
def test_a_refusal_is_shown_at_its_field_and_nothing_is_saved(editor, changes, field):
    trip = TripFactory()

    response = editor.post("/admin/catalogue/departure/add/", form(trip=str(trip.id), **changes))

    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert not Departure.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_a_capacity_below_the_seats_taken_is_refused_with_both_numbers(editor, bookings: Bookings):
    bookings.seats_taken = 6
    departure = DepartureFactory(capacity=10)

    response = editor.post(f"/admin/catalogue/departure/{departure.id}/change/", form(capacity=5))

    assert "1 seats are held and 5 sold" in str(response.context["adminform"].form.errors["capacity"])
    assert Departure.objects.get(id=departure.id).capacity == 10


def test_a_change_is_the_next_version_and_is_published(editor, bookings: Bookings):
    departure = DepartureFactory(capacity=10)

    response = editor.post(f"/admin/catalogue/departure/{departure.id}/change/", form(capacity=12))

    assert response.status_code == 302
    assert OutboxEvent.objects.get(key=str(departure.id)).sequence == 2


@pytest.mark.parametrize("model", ["destination", "trip", "departure", "exchangerate"])
def test_every_list_opens(editor, model):
    departure = DepartureFactory()
    rows = {"destination": departure.trip.destination_id, "trip": departure.trip_id, "departure": departure.id}

    assert editor.get(f"/admin/catalogue/{model}/").status_code == 200
    assert editor.get(f"/admin/catalogue/{model}/?q=place").status_code == 200
    assert model == "exchangerate" or editor.get(f"/admin/catalogue/{model}/{rows[model]}/change/").status_code == 200


def test_new_dates_of_a_booked_departure_are_confirmed_with_a_reason(editor, bookings: Bookings):
    bookings.bookings, bookings.passengers = 2, 5
    departure = DepartureFactory(capacity=8)
    address = f"/admin/catalogue/departure/{departure.id}/change/"

    refused = editor.post(address, form())
    page = " ".join(refused.content.decode().split())
    assert "2 bookings with 5 travellers are affected. Nothing is saved yet." in page
    assert f"{departure.starts_at:%Y-%m-%d}" in page
    assert not OutboxEvent.objects.exists()

    confirmed = editor.post(address, form(reason="The ferry does not run."))
    assert confirmed.status_code == 302
    assert Departure.objects.get(id=departure.id).change_reason == "The ferry does not run."


def test_the_later_of_two_editors_of_a_departure_is_refused(editor, bookings: Bookings):
    departure = DepartureFactory(capacity=8)
    address = f"/admin/catalogue/departure/{departure.id}/change/"
    editor.post(address, form(seen_version="1", capacity=9))

    response = editor.post(address, form(seen_version="1", capacity=7))

    assert "Somebody saved a change" in response.content.decode()
    assert Departure.objects.get(id=departure.id).capacity == 9
