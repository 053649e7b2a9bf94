"""The history that triggers write: what changed, by whom, and nothing about columns that only follow."""

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client

from destinations_service.catalogue import services
from destinations_service.catalogue.models import (
    AveragePrice,
    Departure,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    Trip,
    history_of,
)
from destinations_service.catalogue.models.history import TRACKED
from destinations_service.tests.factories import DepartureFactory, DestinationFactory
from shared.auth.testing import mint_access_token
from shared.ids import uuid7

pytestmark = pytest.mark.django_db


def history(model, **having):
    return list(history_of(model).objects.filter(**having).order_by("pgh_id"))


def test_a_change_keeps_the_row_as_it_was_with_its_author():
    place, staff = DestinationFactory(tags=["beach"]), uuid7()

    with services.authored(source="rest", request="r-1"):
        services.by_staff(staff)
        Destination.objects.filter(id=place.id).update(tags=["museum"])

    (row,) = history(Destination)
    assert (row.pgh_label, row.pgh_obj_id, row.tags) == ("update", place.id, ["beach"])
    assert row.pgh_context == {"source": "rest", "request": "r-1", "staff": str(staff)}


def test_a_set_based_merge_is_seen_and_its_unchanged_rows_are_not():
    places = [DestinationFactory(population=number) for number in range(3)]

    with transaction.atomic(), services.authored(source="command", command="import_places"), connection.cursor() as run:
        run.execute("UPDATE catalogue_destination SET population = greatest(population, 1)")

    (row,) = history(Destination)
    assert (row.pgh_obj_id, row.population) == (places[0].id, 0)
    assert row.pgh_context == {"source": "command", "command": "import_places"}


def test_derived_columns_make_no_history():
    departure = DepartureFactory()
    place = departure.trip.destination

    with transaction.atomic():
        services.copy_seats(departure_id=departure.id, free_seats=3, seats_taken=7, sequence=1)
    services.refresh_search()
    services.refresh_costs(ids=[place.id])
    Destination.objects.filter(id=place.id).update(version=9)
    place.refresh_from_db()
    place.save()

    assert [len(history(model)) for model in (Destination, Trip, Departure)] == [0, 0, 0]


def test_an_insert_is_recorded_only_if_staff_makes_it():
    place = DestinationFactory()
    with services.authored(source="command", command="import_places"):
        DestinationTranslation.objects.create(destination=place, language="DE", name="Ort")
    with services.authored(source="admin"):
        services.by_staff(uuid7(), account=1)
        DestinationTranslation.objects.create(destination=place, language="IT", name="Luogo")

    assert [(row.pgh_label, row.language) for row in history(DestinationTranslation)] == [("insert", "IT")]


def test_what_one_transaction_changes_has_one_number():
    place = DestinationFactory(daily_cost=50)

    Destination.objects.filter(id=place.id).update(population=1)
    with transaction.atomic():
        AveragePrice.objects.update(amount=Decimal(60))
        DestinationTranslation.objects.filter(language="EN").update(name="Town")

    rows = [*history(Destination), *history(AveragePrice), *history(DestinationTranslation)]
    assert all(row.pgh_transaction for row in rows)


def test_a_deleted_row_stays_in_the_history():
    place = DestinationFactory()
    services.delete_destination(destination_id=place.id)

    assert [(row.pgh_label, row.slug) for row in history(Destination)] == [("delete", place.slug)]
    assert {row.language for row in history(DestinationTranslation)} == {"EN", "FR"}


def test_rates_have_a_history():
    rate = ExchangeRate.objects.create(currency="USD", rate=Decimal("1.1"), as_of="2026-01-01", source="a test")
    ExchangeRate.objects.filter(id=rate.id).update(rate=Decimal("1.2"))

    assert [row.rate for row in history(ExchangeRate)] == [Decimal("1.1")]


def test_the_admin_and_rest_name_their_author():
    place, _ = DestinationFactory(slug="town"), DestinationFactory(slug="village")
    staff = get_user_model().objects.create_superuser("editor@travel.example")
    client, caller = Client(), uuid7()
    client.force_login(staff, backend="shared.staff_sign_in.StaffBackend")
    token = mint_access_token(caller, roles=["catalogue_editor"])

    client.post(f"/admin/catalogue/destination/{place.id}/delete/", {"post": "yes"})
    sent = Client(headers={"authorization": f"Bearer {token}"}).patch(
        "/api/v1/destinations/village/", {"population": 7}, content_type="application/json"
    )

    deleted, changed = history(Destination)
    assert sent.status_code == 200
    assert (deleted.pgh_context["source"], deleted.pgh_context["account"]) == ("admin", staff.pk)
    assert (changed.pgh_context["source"], changed.pgh_context["staff"]) == ("rest", str(caller))


def test_a_read_carries_no_context(django_assert_num_queries):
    DestinationFactory(slug="town")

    with django_assert_num_queries(2) as queries:  # the version, and the destination
        Client().get("/api/v1/destinations/town/")

    assert not any("pghistory" in query["sql"] for query in queries)


# Columns that follow from others, say when a row was written, or are the file of a photo.
WITHOUT_HISTORY = {
    "Destination": {
        "ancestors", "popularity", "daily_cost_eur", "search_text", "version", "created_at", "updated_at",
    },
    "Photo": {"image", "is_drawn", "width", "height"},
    "Trip": {"popularity", "version", "created_at", "updated_at"},
    "Departure": {
        "version", "cut_asked_at", "rescheduled_at", "seats_left", "seats_taken", "seats_sequence", "created_at", "updated_at",
    },
}  # fmt: skip


@pytest.mark.parametrize("model", TRACKED)
def test_every_column_has_a_history_or_follows_from_others(model):
    """A new column belongs into TRACKED of models/history.py, or into WITHOUT_HISTORY here."""
    columns = {field.name for field in model._meta.fields} - set(TRACKED[model])

    assert columns <= WITHOUT_HISTORY.get(model.__name__, set())
