"""The peer: pgbench, which sends the very statements that booking sends, captured from a booking made on the spot."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from benchmarks._stage import BOOKING, DEPARTURE, DEPARTURES, ROOT, TRAVELLER, Stage, as_uuid

_CAPTURE = """
import django; django.setup()
from django.db import connection
from django.test.utils import CaptureQueriesContext
from benchmarks._booking_worker import book
from bookings_service.bookings.models import Booking
book({warm})
with CaptureQueriesContext(connection) as asked:
    book({number})
booking = Booking.objects.get(quote_id="{quote}")
print(booking.id, booking.reference, *booking.passengers.values_list("id", flat=True))
for one in asked.captured_queries:
    print(one["sql"].replace(chr(10), " "))
"""


def captured(stage: Stage) -> list[str]:
    """Return the statements of one booking, its ids written as expressions of pgbench's `:n` (the quote) and `:d` (its departure)."""
    warm = stage.quotes(2, hot=False)
    number = warm + 1
    program = _CAPTURE.format(warm=warm, number=number, quote=as_uuid(number))
    environment = {**stage.environment, "DJANGO_SETTINGS_MODULE": "bookings_service.config.settings"}
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    ids, *statements = said.stdout.strip().splitlines()
    booking, reference, *passengers = ids.split()
    swaps = {
        as_uuid(number): "lpad(to_hex(:n), 32, '0')",
        as_uuid(TRAVELLER + number): f"lpad(to_hex({TRAVELLER} + :n), 32, '0')",
        as_uuid(DEPARTURE + 1 + number % DEPARTURES): f"lpad(to_hex({DEPARTURE} + :d), 32, '0')",
        booking: f"lpad(to_hex({BOOKING} + :n), 32, '0')",
        **{one: f"lpad(to_hex({BOOKING} * {index} + :n), 32, '0')" for index, one in enumerate(passengers, start=2)},
    }
    return [_counted(sql, swaps, reference=reference, key=f"key-{number}") for sql in statements]


def _counted(sql: str, swaps: dict[str, str], *, reference: str, key: str) -> str:
    sql = re.sub(r"'\{([0-9a-f,-]{32,})\}'", lambda found: _array(found[1].split(","), swaps, found[0]), sql)
    for one, expression in swaps.items():
        for literal in (f"'{one}'", f"'{UUID(one).hex}'"):
            sql = sql.replace(literal, expression)
    sql = sql.replace(f"'{reference}'", "lpad(to_hex(:n), 8, '0')").replace(f"'{key}'", "('key-' || :n)")
    if '"outbox_outboxevent"' in sql:  # its event's id is of this event alone
        sql = re.sub(r"VALUES \('[0-9a-f-]{32,36}'(::uuid)?", "VALUES (gen_random_uuid()", sql)
    return re.sub(r"(advisory_xact_lock\() ?-?\d+", r"\g<1>:n", sql)


def _array(items: list[str], swaps: dict[str, str], literal: str) -> str:
    """Return an array of ids with each known one counted out, as bulk inserts send them."""
    named = [swaps.get(str(UUID(item)), f"'{item}'") for item in items if len(item) >= 32]
    return f"ARRAY[{', '.join(named)}]" if len(named) == len(items) else literal


@contextmanager
def script(stage: Stage, folder: Path, *, hot: bool) -> Iterator[Path]:
    """Write the script of one booking: quotes are counted out per client, so that none is used twice."""
    lines = ["\\set i :i + 1", "\\set n :first + :client_id * :each + :i"]
    lines.append("\\set d 0" if hot else f"\\set d 1 + :n % {DEPARTURES}")
    lines += [f"{sql};" for sql in captured(stage)]
    path = folder / f"booking-{'hot' if hot else 'many'}.sql"
    path.write_text("\n".join(lines) + "\n")
    yield path
    path.unlink()


def run(stage: Stage, path: Path, *, first: int, each: int, clients: int, seconds: int) -> tuple[float, float]:
    """Return transactions a second, and the CPU seconds of pgbench itself for each. Raises CalledProcessError."""
    there, before = _bookings(stage), os.times()
    command = [
        str(stage.binaries / "pgbench"), "-n", "-f", str(path), "-c", str(clients), "-j", "2", "-T", str(seconds),
        "-D", f"first={first}", "-D", f"each={each}", "-D", "i=0", "-h", stage.dsn["host"], "-p", str(stage.dsn["port"]),
        "-U", stage.dsn["user"], stage.dsn["dbname"],
    ]  # fmt: skip
    said = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**stage.environment, "PGPASSWORD": stage.dsn["password"]},
        check=False,
    )
    after = os.times()
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    if said.returncode or not found or "failed transactions: 0 " not in said.stdout + " ":
        raise SystemExit(f"pgbench failed:\n{said.stdout[-1500:]}{said.stderr[-1500:]}")
    done = float(found[1]) * seconds
    processed = re.search(r"actually processed: (\d+)", said.stdout)
    if processed is None or _bookings(stage) - there != int(processed[1]):
        raise SystemExit("pgbench made other than one booking a transaction: its statements are not what booking sends")
    return float(found[1]), (
        after.children_user + after.children_system - before.children_user - before.children_system
    ) / done


def _bookings(stage: Stage) -> int:
    with stage.connect() as connection:
        row = connection.execute("SELECT count(*) FROM bookings_booking").fetchone()
        assert row is not None
        return int(row[0])
