"""Imports that are killed, that meet another import, or that run beside staff: each country is as before or as after."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from destinations_service.catalogue import services
from destinations_service.catalogue.contracts import DestinationDetails
from destinations_service.catalogue.importing import ImportRunning, merging
from destinations_service.catalogue.models import Destination, ImportRun
from destinations_service.tests.imports import country, geonames, line, run, snapshot
from destinations_service.tests.processes import command
from shared.db import try_advisory_lock
from shared.failpoints import FAILPOINTS
from shared.outbox.models import OutboxEvent
from shared.testing import eventually

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = {"import.before_commit": [], "import.country_merged": ["BE"]}  # the countries that are merged then


def two_countries(tmp_path):
    """Return a file of places in Belgium and France."""
    country()
    country("BE", "Belgium")
    rows = [line(number, f"Town {number}", country=("BE", "FR")[number % 2]) for number in range(1, 2_001)]
    return geonames(tmp_path, rows)


def cities():
    return Destination.objects.filter(kind="CITY")


def test_every_failpoint_of_an_import_has_a_case():
    assert set(KILLED) == {name for name in FAILPOINTS if name.startswith("import.")}


@pytest.mark.parametrize("failpoint", KILLED)
def test_a_killed_import_leaves_whole_countries_and_the_next_one_continues(tmp_path, failpoint):
    """Seen failing (events refuse to be written outside a transaction) with `transaction.atomic` taken out of `merge`."""
    path = two_countries(tmp_path)

    died = command("import_places", str(path), FAILPOINT=failpoint, FAILPOINT_DIR=str(tmp_path), DEBUG="true")

    assert died.returncode == -9, died.stderr
    merged = KILLED[failpoint]
    assert cities().count() == 1_000 * len(merged)
    assert set(cities().values_list("country_code", flat=True)) == set(merged)
    assert OutboxEvent.objects.count() == 1_000 * len(merged)

    again = command("import_places", str(path))

    assert again.returncode == 0, again.stderr
    assert f"{len(merged)} countries were already merged" in again.stdout
    assert (cities().count(), OutboxEvent.objects.count()) == (2_000, 2_000)
    assert ImportRun.objects.get().finished_at is not None
    before = snapshot()
    assert run(path).total.unchanged == 2_000
    assert snapshot() == before


def test_a_second_import_at_the_same_time_is_refused_in_one_line(tmp_path):
    """Seen failing (both imported) without the advisory lock."""
    path = two_countries(tmp_path)

    def import_too():
        try:
            with pytest.raises(CommandError) as refused:
                call_command("import_places", path)
            return str(refused.value)
        finally:
            connection.close()

    with try_advisory_lock("import places") as is_free, ThreadPoolExecutor(1) as other:
        assert is_free
        message = other.submit(import_too).result(timeout=30)

    assert message == str(ImportRunning())
    assert not cities().exists()


def test_an_import_waits_for_an_edit_and_keeps_it(tmp_path):
    """Staff hold the row while the import begins. Seen failing (the edit was lost) without the lock of the places."""
    path = two_countries(tmp_path)
    run(path)
    place = cities().get(slug="town-1")
    changed = geonames(
        tmp_path,
        [line(n, f"Town {n}", country=("BE", "FR")[n % 2], population=6_000) for n in range(1, 2_001)],
    )

    def import_changed():
        try:
            return run(changed)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            services.save_destination(destination_id=place.id, details=DestinationDetails(population=7))
            importing = other.submit(import_changed)
            eventually(waits_for_a_lock, timeout=30)
        done = importing.result(timeout=60)

    place.refresh_from_db()
    assert (place.population, place.version) == (7, 2)
    assert (done.total.updated, done.total.kept) == (1_999, 1)


def test_a_slug_that_staff_take_meanwhile_is_not_used_twice(tmp_path, monkeypatch):
    """Seen failing (CountryFailed) without the second attempt."""
    path = two_countries(tmp_path)
    merge = merging._merge

    def merge_after_staff(code, *rest):
        monkeypatch.setattr(merging, "_merge", merge)
        with ThreadPoolExecutor(1) as staff:
            staff.submit(make_town_2).result(timeout=30)
        return merge(code, *rest)

    def make_town_2():
        try:
            belgium = Destination.objects.get(slug="belgium")
            services.save_destination(
                destination_id=None,
                details=DestinationDetails(
                    slug="town-2", kind="CITY", parent_id=belgium.id, country_code="BE", currency="EUR",
                    translations={"EN": {"name": "Town two"}},
                ),
            )  # fmt: skip
        finally:
            connection.close()

    monkeypatch.setattr(merging, "_merge", merge_after_staff)

    assert run(path).total.created == 2_000
    assert cities().filter(slug__startswith="town-2-be").count() == 1


def test_imports_and_edits_of_the_same_places_do_not_deadlock(tmp_path):
    """Staff edit places from the last to the first while an import writes all of them."""
    path = two_countries(tmp_path)
    run(path)
    ids = list(cities().filter(country_code="FR").order_by("-id").values_list("id", flat=True)[:60])

    def edit():
        try:
            for id_ in ids:
                services.save_destination(destination_id=id_, details=DestinationDetails(tags=["edited"]))
        finally:
            connection.close()

    changed = [line(n, f"Town {n}", country=("BE", "FR")[n % 2], population=8_000) for n in range(1, 2_001)]
    with ThreadPoolExecutor(1) as other:
        editing = other.submit(edit)
        done = run(geonames(tmp_path, changed))
        editing.result(timeout=60)

    assert done.total.updated == 2_000
    assert cities().filter(population=8_000).count() == 2_000
    assert cities().filter(tags=["edited"]).count() == len(ids)
    for id_ in ids:
        row = Destination.objects.get(id=id_)
        sequences = OutboxEvent.objects.filter(key=str(id_)).order_by("id").values_list("sequence", flat=True)
        assert (row.version, list(sequences)) == (3, [1, 2, 3])


def waits_for_a_lock():
    """Return whether a session waits for a lock. pg_stat_activity would show one state for a whole transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]
