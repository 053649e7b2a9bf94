"""Commands for operators: safe by default, with exact output and a meaningful exit code."""

import csv
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import ManagementUtility
from django.db import connection
from django.db.models import F

from bookings_service.bookings.models import Booking, CancellationQuote, Quote, SeatInventory
from bookings_service.bookings.refusals import DepartureClosed, SeatsUnavailable
from bookings_service.payments import audit
from bookings_service.payments.models import LedgerEntry, Refund
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.commands import last, run
from bookings_service.tests.doubles import Destinations
from bookings_service.tests.factories import end_hold
from shared.db import lock_key
from shared.errors import DomainError
from shared.idempotency.models import IdempotencyKey
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sandbox")]


def test_right_counters_stay_unchanged(buyer: Buyer, destinations: Destinations) -> None:
    buyer.pay(buyer.book(destinations.publish()))
    full = destinations.publish(capacity=2)
    booking = buyer.book(full)
    buyer.join(full, seats=1)
    buyer.cancel(booking)

    assert run("reconcile_inventory") == (0, "2 departures, 0 wrong, 0 set right, 0 oversold.\n")


def test_wrong_counters_are_shown_and_corrected_with_apply(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(capacity=10)
    buyer.pay(buyer.book(departure, adults=3))
    buyer.book(departure, adults=2)
    SeatInventory.objects.update(held=5, sold=0)

    code, output = run("reconcile_inventory")
    assert (code, last(output)) == (1, "1 departures, 1 wrong, 0 set right, 0 oversold.")
    assert str(departure) in output
    assert SeatInventory.objects.filter(held=5, sold=0).exists()

    code, output = run("reconcile_inventory", "--apply")
    assert (code, last(output)) == (0, "1 departures, 1 wrong, 1 set right, 0 oversold.")
    assert SeatInventory.objects.filter(held=2, sold=3, dirty=True).exists()


def test_an_oversold_departure_raises_an_alarm_and_sells_nothing_more(
    buyer: Buyer, destinations: Destinations, caplog: pytest.LogCaptureFixture
) -> None:
    """Seen failing if correct_counters skips an oversold departure."""
    departure = destinations.publish(capacity=4)
    buyer.pay(buyer.book(departure, adults=3))
    quote = buyer.quote(departure, adults=1)
    SeatInventory.objects.update(sold=0, capacity=2)

    code, output = run("reconcile_inventory", "--apply")

    assert (code, last(output)) == (1, "1 departures, 1 wrong, 0 set right, 1 oversold.")
    assert "OVERSOLD" in output
    assert "alarm:departure_oversold" in caplog.text
    assert str(departure) in caplog.text
    assert SeatInventory.objects.filter(capacity=3, held=0, sold=3).exists()
    with pytest.raises(SeatsUnavailable):
        buyer.book_quote(quote)
    assert run("reconcile_inventory")[0] == 0


def test_a_consistent_ledger_breaks_no_rule(buyer: Buyer, destinations: Destinations) -> None:
    booking = buyer.pay(buyer.book(destinations.publish(policy=((1, 50),))))[1]
    buyer.cancel(booking, booking.passengers[0].id)

    code, output = run("check_ledger")

    assert (code, last(output)) == (0, "9 rules checked, 0 discrepancies in 0 records.")
    assert "1000.00 EUR" in output


@pytest.mark.parametrize(
    ("break_it", "rule"),
    [
        ("UPDATE payments_payment SET status = 'FAILED'", "a capture in the ledger has a captured payment"),
        ("UPDATE payments_payment SET amount_minor = amount_minor + 1", "a captured payment is in the ledger"),
        ("UPDATE payments_payment SET refunded_minor = 1", "refunded_minor of a payment is the sum of its refunds"),
        ("UPDATE bookings_booking SET total_minor = total_minor + 1", "a confirmed booking is paid"),
        ("UPDATE bookings_booking SET status = 'CANCELLED'", "nothing is owed for a cancelled booking"),
        ("UPDATE bookings_booking SET currency = 'USD'", "a booking has one currency"),
        (
            "ALTER TABLE payments_ledgerentry DISABLE TRIGGER USER; DELETE FROM payments_ledgerentry WHERE amount_minor < 0;"
            " ALTER TABLE payments_ledgerentry ENABLE TRIGGER USER",
            "a movement balances",
        ),
    ],
)
def test_an_inconsistent_ledger_breaks_a_rule(
    buyer: Buyer, destinations: Destinations, break_it: str, rule: str
) -> None:
    buyer.pay(buyer.book(destinations.publish()))
    with connection.cursor() as cursor:
        cursor.execute(break_it)

    code, output = run("check_ledger")

    assert code == 1
    assert rule in " ".join(output.split())


def test_a_departure_is_cancelled_with_apply(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish()
    buyer.pay(buyer.book(departure))
    buyer.book(departure, adults=1)
    late = buyer.quote(departure)

    code, output = run("cancel_departure", str(departure))
    assert (code, last(output)) == (
        0,
        "2 bookings would be cancelled and refunded. Nothing was changed. Add --apply to cancel them.",
    )
    assert "1000.00 EUR" in output
    assert set(Booking.objects.values_list("status", flat=True)) == {"CONFIRMED", "PENDING"}

    code, output = run("cancel_departure", str(departure), "--apply", "--batch", "1")
    assert code == 0
    assert last(output).startswith("2 bookings cancelled")
    assert set(Booking.objects.values_list("status", "reason")) == {("CANCELLED", "DEPARTURE_CANCELLED")}
    assert Refund.objects.get().amount_minor == 100_000
    with pytest.raises(DepartureClosed):
        buyer.book_quote(late)
    buyer.destinations.publish(departure_id=departure, version=9)  # a stale version does not open it again
    with pytest.raises(DomainError):
        buyer.book_quote(buyer.quote(departure))
    assert run("cancel_departure", str(departure), "--apply")[0] == 0


def test_cancelling_a_departure_refunds_only_what_is_refundable(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish(policy=((1, 50),))
    booking = buyer.pay(buyer.book(departure, adults=3))[1]
    buyer.cancel(booking, booking.passengers[0].id)

    output = run("cancel_departure", str(departure))[1]

    assert "1000.00 EUR" in output
    run("cancel_departure", str(departure), "--apply")
    assert sorted(Refund.objects.values_list("amount_minor", flat=True)) == [25_000, 100_000]


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_bookings_are_exported(buyer: Buyer, destinations: Destinations, tmp_path: Path, format_: str) -> None:
    departure = destinations.publish()
    paid = buyer.pay(buyer.book(departure))[1]
    buyer.book(departure, adults=1)
    Booking.objects.filter(id=paid.id).update(title_en="=1+1")
    path = tmp_path / "bookings"

    assert run("export_bookings", "--format", format_, "--output", str(path), "--with-passengers")[0] == 0

    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream)) if format_ == "csv" else [json.loads(line) for line in stream]
    assert [row["reference"] for row in rows] == list(
        Booking.objects.order_by("id").values_list("reference", flat=True)
    )
    assert (rows[0]["paid"], rows[0]["currency"]) == ("1000.00", "EUR")
    assert rows[0]["title"] == ("'=1+1" if format_ == "csv" else "=1+1")
    assert rows[0]["passengers"] == "Ann Lindqvist; Anna Lindqvist"
    assert [path] == list(tmp_path.iterdir())
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_export_can_be_filtered_and_has_no_names(buyer: Buyer, destinations: Destinations) -> None:
    buyer.book(destinations.publish())

    assert len(run("export_bookings")[1].splitlines()) == 2
    assert "Lindqvist" not in run("export_bookings")[1]
    for narrowed in (["--status", "CONFIRMED"], ["--since", "2099-01-01"], ["--until", "2020-01-01"]):
        assert len(run("export_bookings", *narrowed)[1].splitlines()) == 1


def test_rows_past_their_retention_are_deleted(buyer: Buyer, destinations: Destinations) -> None:
    departure = destinations.publish()
    booked = buyer.quote(departure)
    booking = buyer.book_quote(booked)
    old, fresh = buyer.quote(departure), buyer.quote(departure)
    Quote.objects.exclude(id=fresh.id).update(expires_at=F("expires_at") - timedelta(days=40))
    IdempotencyKey.objects.update(created_at=F("created_at") - timedelta(days=100))

    code, output = run("purge_bookings_data")
    assert (code, last(output)) == (0, "Nothing was changed. Add --apply to delete them.")
    assert Quote.objects.count() == 3

    assert last(run("purge_bookings_data", "--apply")[1]) == "2 rows deleted."
    assert set(Quote.objects.values_list("id", flat=True)) == {booked.id, fresh.id}
    assert not Quote.objects.filter(id=old.id).exists()
    assert Booking.objects.get().id == booking.id
    assert CancellationQuote.objects.count() == IdempotencyKey.objects.count() == 0


def test_an_outbox_without_a_relay_raises_an_alarm(buyer: Buyer, destinations: Destinations) -> None:
    buyer.book(destinations.publish())

    code, output = run("outbox_doctor")

    assert code == 1
    assert "travel.bookings.booking" in output
    assert "no relay is active." in output


def test_an_outbox_with_a_relay_is_fine_until_events_are_late(buyer: Buyer, destinations: Destinations) -> None:
    buyer.book(destinations.publish())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock_key("outbox-relay")])
        assert run("outbox_doctor")[0] == 0
        OutboxEvent.objects.update(occurred_at=F("occurred_at") - timedelta(minutes=5))
        assert run("outbox_doctor")[0] == 1
        assert run("outbox_doctor", "--late", "900")[0] == 0
        cursor.execute("SELECT pg_advisory_unlock_all()")


@pytest.mark.parametrize(
    "command",
    [
        ("cancel_departure", str(uuid7())),
        ("cancel_departure", "x"),
        ("cancel_departure", str(uuid7()), "--apply", "--dry-run"),
        ("cancel_departure", str(uuid7()), "--batch", "-1"),
        ("reconcile_inventory", "--fix"),
        ("reconcile_payments", "--since", "2026-02-30"),
        ("export_bookings", "--format", "xlsx"),
        ("export_bookings", "--since", "2026-02-02", "--until", "2026-02-01"),
        ("export_bookings", "--output", "/nowhere/file"),
        ("purge_bookings_data", "--apply", "--dry-run"),
        ("outbox_doctor", "--late", "0"),
        ("check_ledger", "--apply"),
    ],
)
def test_a_mistake_is_one_line(command: tuple[str, ...], capfd: Any) -> None:
    """Run as an operator types it, through manage.py's entry point."""
    with pytest.raises(SystemExit) as end, patch("django.db.connections.close_all"):
        ManagementUtility(["manage.py", *command]).execute()

    out, err = capfd.readouterr()
    assert end.value.code in (1, 2)
    assert len(err.strip().splitlines()) == 1, err
    assert "Traceback" not in out + err


def test_reconcile_inventory_reports_nothing_for_an_ended_hold(buyer: Buyer, destinations: Destinations) -> None:
    end_hold(buyer.book(destinations.publish()).id)
    assert run("reconcile_inventory")[0] == 0
    assert LedgerEntry.objects.count() == 0


def test_an_unavailable_database_is_reported_without_a_traceback() -> None:
    environment = {**os.environ, "BOOKINGS_DATABASE_URL": "postgres://nobody:none@127.0.0.1:9/nothing"}
    command = [sys.executable, "bookings_service/manage.py", "check_ledger"]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1].startswith("CommandError: The database failed: ")
    assert "Traceback" not in ended.stderr


def test_a_command_has_a_longer_statement_timeout_than_a_request() -> None:
    """Seen failing if the time limit of a request applies to commands."""
    seen = []

    def record_timeout() -> list[object]:
        seen.append(statement_timeout())
        return []

    before = statement_timeout()
    with patch.object(audit, "discrepancies", record_timeout):
        assert run("check_ledger")[0] == 0

    assert (seen, statement_timeout()) == (["15min"], before)
    assert before != "15min"


def statement_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])
