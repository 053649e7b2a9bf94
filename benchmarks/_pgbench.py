"""The reference: pgbench sends the statements of a booking, captured from a booking that is made for this."""

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
with CaptureQueriesContext(connection) as captured:
    book({number})
booking = Booking.objects.get(quote_id="{quote}")
print(booking.id, booking.reference, *booking.passengers.values_list("id", flat=True))
for query in captured.captured_queries:
    print(query["sql"].replace(chr(10), " "))
"""


def captured(stage: Stage) -> list[str]:
    """Return the statements of a booking, with ids as expressions of pgbench's `:n` (the quote) and `:d` (its
    departure).
    """
    warm = stage.quotes(2, hot=False)
    number = warm + 1
    program = _CAPTURE.format(warm=warm, number=number, quote=as_uuid(number))
    environment = {**stage.environment, "DJANGO_SETTINGS_MODULE": "bookings_service.config.settings"}
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    ids, *statements = output.strip().splitlines()
    booking, reference, *passengers = ids.split()
    swaps = {
        as_uuid(number): "lpad(to_hex(:n), 32, '0')",
        as_uuid(TRAVELLER + number): f"lpad(to_hex({TRAVELLER} + :n), 32, '0')",
        as_uuid(DEPARTURE + 1 + number % DEPARTURES): f"lpad(to_hex({DEPARTURE} + :d), 32, '0')",
        booking: f"lpad(to_hex({BOOKING} + :n), 32, '0')",
        **{
            passenger: f"lpad(to_hex({BOOKING} * {index} + :n), 32, '0')"
            for index, passenger in enumerate(passengers, start=2)
        },
    }
    return [_counted(sql, swaps, reference=reference, key=f"key-{number}") for sql in statements]


def _counted(sql: str, swaps: dict[str, str], *, reference: str, key: str) -> str:
    sql = re.sub(r"'\{([0-9a-f,-]{32,})\}'", lambda match: _array(match[1].split(","), swaps, match[0]), sql)
    for known_id, expression in swaps.items():
        for literal in (f"'{known_id}'", f"'{UUID(known_id).hex}'"):
            sql = sql.replace(literal, expression)
    sql = sql.replace(f"'{reference}'", "lpad(to_hex(:n), 8, '0')").replace(f"'{key}'", "('key-' || :n)")
    if '"outbox_outboxevent"' in sql:  # each event needs an id of its own
        sql = re.sub(r"VALUES \('[0-9a-f-]{32,36}'(::uuid)?", "VALUES (gen_random_uuid()", sql)
    return re.sub(r"(advisory_xact_lock\() ?-?\d+", r"\g<1>:n", sql)


def _array(items: list[str], swaps: dict[str, str], literal: str) -> str:
    """Return the array of a bulk insert, with an expression for each known id."""
    expressions = [swaps.get(str(UUID(item)), f"'{item}'") for item in items if len(item) >= 32]
    return f"ARRAY[{', '.join(expressions)}]" if len(expressions) == len(items) else literal


@contextmanager
def script(stage: Stage, folder: Path, *, hot: bool) -> Iterator[Path]:
    """Write the script of one booking. Each client counts through its own quotes, so that no quote is used twice."""
    lines = ["\\set i :i + 1", "\\set n :first + :client_id * :each + :i"]
    lines.append("\\set d 0" if hot else f"\\set d 1 + :n % {DEPARTURES}")
    lines += [f"{sql};" for sql in captured(stage)]
    path = folder / f"booking-{'hot' if hot else 'many'}.sql"
    path.write_text("\n".join(lines) + "\n")
    yield path
    path.unlink()


def run(stage: Stage, path: Path, *, first: int, each: int, clients: int, seconds: int) -> tuple[float, float]:
    """Return the transactions per second, and the CPU seconds of pgbench for each. Exit if a transaction failed."""
    bookings_before, before = _bookings(stage), os.times()
    command = [
        str(stage.binaries / "pgbench"), "-n", "-f", str(path), "-c", str(clients), "-j", "2", "-T", str(seconds),
        "-D", f"first={first}", "-D", f"each={each}", "-D", "i=0", "-h", stage.dsn["host"], "-p", str(stage.dsn["port"]),
        "-U", stage.dsn["user"], stage.dsn["dbname"],
    ]  # fmt: skip
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**stage.environment, "PGPASSWORD": stage.dsn["password"]},
        check=False,
    )
    after = os.times()
    rate = re.search(r"tps = ([\d.]+)", result.stdout)
    if result.returncode or not rate or "failed transactions: 0 " not in result.stdout + " ":
        raise SystemExit(f"pgbench failed:\n{result.stdout[-1500:]}{result.stderr[-1500:]}")
    done = float(rate[1]) * seconds
    processed = re.search(r"actually processed: (\d+)", result.stdout)
    if processed is None or _bookings(stage) - bookings_before != int(processed[1]):
        raise SystemExit("pgbench did not make one booking per transaction: its statements are not those of a booking")
    return float(rate[1]), (
        after.children_user + after.children_system - before.children_user - before.children_system
    ) / done


def _bookings(stage: Stage) -> int:
    with stage.connect() as connection:
        row = connection.execute("SELECT count(*) FROM bookings_booking").fetchone()
        assert row is not None
        return int(row[0])
