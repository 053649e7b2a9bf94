"""The page History: who changed what and when, and what restoring does."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client

from destinations_service.catalogue import services
from destinations_service.catalogue.models import (
    AveragePrice,
    CancellationRule,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    ItineraryDay,
    ItineraryDayTranslation,
    OpeningHours,
    SlugRedirect,
    Trip,
)
from destinations_service.tests.admin_pages import address, opened
from destinations_service.tests.factories import DepartureFactory, DestinationFactory, TripFactory
from shared.outbox.models import OutboxEvent

# Each request has a transaction of its own, as in production: a change is what one transaction did.
pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(name: str, *groups: str, **given: bool) -> Client:
    user = get_user_model().objects.create_user(name, is_staff=True, **given)
    for group in groups:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    client = Client()
    client.force_login(user, backend="shared.staff_sign_in.StaffBackend")
    return client


@pytest.fixture
def editor() -> Client:
    return signed_in("ann@travel.example", is_superuser=True)


def history(row) -> str:
    return address(row).replace("/change/", "/history/")


def restore(editor: Client, row, which: int = 0):
    """Press the button of a change: of the latest one, or of an earlier one."""
    page = editor.get(history(row)).content.decode()
    action = re.findall(r'action="([^"]*/restore/[^"]*)"', page)[which]
    (version,) = set(re.findall(r'name="seen_version" value="(\d+)"', page))
    return editor.post(action, {"seen_version": version}, follow=True)


def test_the_page_shows_who_changed_what(editor):
    place = DestinationFactory(slug="town", population=1, names=("Town", "Ville"))
    editor.post(address(place), {**opened(editor, place), "population": "2", "translations-0-name": "City"})
    with services.authored(source="command", command="import_places"):
        Destination.objects.filter(id=place.id).update(tags=["beach"], popularity=9)

    latest, first = editor.get(history(place)).context["changes"]

    assert latest["who"] == "command import_places"
    assert latest["fields"] == [{"name": "tags", "before": "—", "after": "beach"}]
    assert first["who"] == "admin by ann@travel.example"
    assert sorted((field["before"], field["after"]) for field in first["fields"]) == [("1", "2"), ("Town", "City")]


def test_a_place_is_restored_with_its_texts_and_prices_as_a_new_version(editor):
    """Seen failing (nothing is restored) with an empty `_restore_parts`."""
    place = DestinationFactory(slug="town", population=1, daily_cost=50, names=("Town", "Ville"))
    OpeningHours.objects.create(destination=place, weekday=1, opens="09:00", closes="17:00")
    with transaction.atomic():
        Destination.objects.filter(id=place.id).update(slug="village", population=2, tags=["beach"])
        SlugRedirect.objects.create(destination=place, slug="town")
        DestinationTranslation.objects.filter(language="EN").update(name="City")
        DestinationTranslation.objects.filter(language="FR").delete()
        AveragePrice.objects.update(amount=Decimal(90))
        OpeningHours.objects.all().delete()
    Destination.objects.filter(id=place.id).update(population=3)

    answer = restore(editor, place, which=1)

    place.refresh_from_db()
    assert "Restored as it was" in answer.content.decode()
    assert (place.slug, place.population, place.tags, place.version) == ("town", 1, [], 2)
    assert dict(DestinationTranslation.objects.values_list("language", "name")) == {"EN": "Town", "FR": "Ville"}
    assert AveragePrice.objects.get().amount == Decimal(50)
    assert place.daily_cost_eur == Decimal(50)
    assert OpeningHours.objects.get().weekday == 1
    assert [redirect.slug for redirect in SlugRedirect.objects.all()] == ["village"]
    assert [(event.key, event.sequence) for event in OutboxEvent.objects.all()] == [(str(place.id), 2)]
    assert editor.get(history(place)).context["changes"][0]["who"] == "admin by ann@travel.example"


def test_a_trip_is_restored_with_its_itinerary(editor):
    trip = TripFactory(slug="tour", duration_days=5)
    day = ItineraryDay.objects.create(trip=trip, day=1)
    ItineraryDayTranslation.objects.create(itinerary_day=day, language="EN", title="Arrival")
    with transaction.atomic():
        Trip.objects.filter(id=trip.id).update(duration_days=6)
        day.delete()
        CancellationRule.objects.filter(days_before=7).update(refund_percent=10)

    restore(editor, trip)

    trip.refresh_from_db()
    assert (trip.duration_days, trip.version) == (5, 2)
    assert ItineraryDayTranslation.objects.get().title == "Arrival"
    assert CancellationRule.objects.get(days_before=7).refund_percent == 50


def test_what_breaks_a_rule_now_is_not_restored(editor):
    """A city cannot go back into a country that has become a city."""
    france, italy = DestinationFactory(slug="france"), DestinationFactory(slug="italy")
    nice = DestinationFactory(slug="nice", kind="CITY", parent=france)
    Destination.objects.filter(id=nice.id).update(parent=italy, ancestors=[italy.id], population=5)
    Destination.objects.filter(id=france.id).update(kind="CITY", parent=italy, ancestors=[italy.id])

    answer = restore(editor, nice)

    nice.refresh_from_db()
    assert "choose a country" in answer.content.decode()
    assert (nice.parent_id, nice.population, nice.version) == (italy.id, 5, 1)
    assert not OutboxEvent.objects.exists()


def test_a_currency_does_not_go_back_under_departures(editor):
    departure = DepartureFactory(trip=TripFactory(currency="EUR"))
    Trip.objects.update(currency="USD")

    assert "Its departures are priced in USD" in restore(editor, departure.trip).content.decode()
    assert Trip.objects.get().currency == "USD"


@pytest.mark.parametrize("seen", ["", "0", "x"])
def test_a_restore_of_what_has_changed_meanwhile_is_refused(editor, seen):
    place = DestinationFactory(population=1)
    Destination.objects.filter(id=place.id).update(population=2)
    (change,) = editor.get(history(place)).context["changes"]

    path = address(place).replace("/change/", f"/restore/{change['transaction']}/")
    answer = editor.post(path, {"seen_version": seen}, follow=True)

    assert "Somebody changed this after you read it" in answer.content.decode()
    assert Destination.objects.get().population == 2


def test_a_change_that_never_was_restores_nothing(editor):
    place = DestinationFactory()
    answer = editor.post(
        address(place).replace("/change/", "/restore/12345678901234567890/"), {"seen_version": "1"}, follow=True
    )

    assert "There is nothing to restore" in answer.content.decode()
    assert editor.get(address(place).replace("/change/", "/restore/1/")).status_code == 405


def test_who_may_only_look_cannot_restore():
    place = DestinationFactory(population=1)
    Destination.objects.filter(id=place.id).update(population=2)

    support = signed_in("sam@travel.example", "support")

    assert support.get(history(place)).status_code == 403
    assert support.post(address(place).replace("/change/", "/restore/1/"), {"seen_version": "1"}).status_code == 403


@pytest.mark.parametrize("model", ["departure", "exchangerate"])
def test_departures_and_rates_have_a_history_without_buttons(editor, model):
    departure = DepartureFactory(capacity=10)
    rate = ExchangeRate.objects.create(currency="USD", rate=1, as_of="2026-01-01", source="a test")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalogue_departure SET capacity = 12")
        cursor.execute("UPDATE catalogue_exchangerate SET rate = 2")
    row = departure if model == "departure" else rate

    answer = editor.get(history(row))

    assert len(answer.context["changes"]) == 1
    assert "/restore/" not in answer.content.decode()
