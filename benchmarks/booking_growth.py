"""What a booking costs with a thousand bookings in the table, and with a million.

It prints figures and asserts nothing.

`./manage_all.py bench booking_growth [--sizes 1000 100000 1000000] [--seconds 4]` needs no running platform. At each
size it books in two processes for some seconds and times the commands that read every row. It writes the plan of each
query of booking, paying, listing, cancelling and the clock to benchmarks/results/plans/, and the figures to
benchmarks/results/booking_growth.md.
"""

import argparse
import datetime
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil

from benchmarks._stage import DEPARTURE, DEPARTURES, ROOT, Stage, stage
from benchmarks.booking_throughput import in_process

RESULT: Final = ROOT / "benchmarks" / "results" / "booking_growth.md"
PLANS: Final = ROOT / "benchmarks" / "results" / "plans"
PEOPLE: Final = 100_000
GROWN: Final = 4 * 10**9
_NUMBER: Final = "generate_series(%(first)s::bigint, %(last)s::bigint) n"
_ID: Final = f"lpad(to_hex({GROWN} + n), 32, '0')::uuid"
_PERSON: Final = f"lpad(to_hex({2 * GROWN} + n %% {PEOPLE}), 32, '0')::uuid"
_WHERE_TO: Final = f"lpad(to_hex({DEPARTURE} + 1 + n %% {DEPARTURES}), 32, '0')::uuid"
# One in ten is cancelled, the others are confirmed. Each has two travellers, a payment, ledger entries and a history.
_STATUS: Final = "CASE WHEN n %% 10 = 0 THEN 'CANCELLED' ELSE 'CONFIRMED' END"
_FILL: Final = (
    f"""INSERT INTO bookings_quote (id, traveller_id, departure_id, adults, children, currency, total_minor, lines, policy, title_en,
        title_fr, starts_at, ends_at, time_zone, expires_at, used_at, created_at)
    SELECT {_ID}, {_PERSON}, {_WHERE_TO}, 2, 0, 'EUR', 100000, '[]', '[]', 'Kyoto', 'Kyoto', now() + interval '90 days',
        now() + interval '95 days', 'Asia/Tokyo', now(), now(), now() FROM {_NUMBER}""",
    f"""INSERT INTO bookings_booking (id, reference, quote_id, traveller_id, departure_id, status, reason, sequence, seats, title_en,
        title_fr, starts_at, ends_at, time_zone, currency, total_minor, lines, policy, hold_extended, created_at)
    SELECT {_ID}, 'G' || lpad(to_hex(n), 7, '0'), {_ID}, {_PERSON}, {_WHERE_TO}, {_STATUS},
        CASE WHEN n %% 10 = 0 THEN 'CANCELLED_BY_TRAVELLER' ELSE 'PAID' END, 3, 2, 'Kyoto', 'Kyoto', now() + interval '90 days',
        now() + interval '95 days', 'Asia/Tokyo', 'EUR', 100000, '[]', '[]', false, now() - n * interval '1 second' FROM {_NUMBER}""",
    f"""INSERT INTO bookings_passenger (id, booking_id, position, first_name, last_name, kind, share_minor)
    SELECT gen_random_uuid(), {_ID}, p, 'Ann', 'Lindqvist', 'ADULT', 50000 FROM {_NUMBER}, generate_series(0, 1) p""",
    f"""INSERT INTO bookings_bookingevent (booking_id, sequence, type, status, reason, at, actor, message_en, message_fr)
    SELECT {_ID}, s, 'booking.created', 'PENDING', 'HELD', now(), 'traveller', 'm', 'm' FROM {_NUMBER}, generate_series(1, 3) s""",
    f"""INSERT INTO payments_payment (id, booking_id, amount_minor, currency, refunded_minor, status, provider, method,
        idempotency_key, failure_code, redirect_url, client_secret, asked_at, created_at)
    SELECT {_ID}, {_ID}, 100000, 'EUR', 0, 'SUCCEEDED', 'sandbox', 'pm_ok', 'k', '', '', '', now(), now() FROM {_NUMBER}""",
    f"""INSERT INTO payments_ledgerentry (movement, booking_id, account, kind, amount_minor, currency, at)
    SELECT {_ID}, {_ID}, a, 'CAPTURE', CASE a WHEN 'PROVIDER' THEN 100000 ELSE -100000 END, 'EUR', now()
    FROM {_NUMBER}, unnest(ARRAY['PROVIDER', 'TRAVELLER']) a""",
    f"""INSERT INTO payments_ledgerentry (movement, booking_id, account, kind, amount_minor, currency, at)
    SELECT gen.movement, {_ID}, a, 'FEE', CASE a WHEN 'TRAVELLER' THEN 100000 ELSE -100000 END, 'EUR', now()
    FROM {_NUMBER}, LATERAL (SELECT lpad(to_hex({3 * GROWN} + n), 32, '0')::uuid AS movement) gen, unnest(ARRAY['TRAVELLER', 'FEES']) a
    WHERE n %% 10 = 0""",
)
_COUNT: Final = """UPDATE bookings_seatinventory s SET sold = b.sold, held = b.held FROM (SELECT departure_id,
    coalesce(sum(seats) FILTER (WHERE status = 'CONFIRMED'), 0) AS sold, coalesce(sum(seats) FILTER (WHERE status = 'PENDING'), 0) AS held
    FROM bookings_booking GROUP BY departure_id) b WHERE b.departure_id = s.departure_id"""
TABLES: Final = "bookings_quote, bookings_booking, bookings_passenger, bookings_bookingevent, payments_payment, payments_ledgerentry"


def grow(bench: Stage, *, first: int, last: int) -> None:
    """Add the bookings of these numbers, with all that belongs to them; the ledger's triggers, proven elsewhere, are
    left out meanwhile.
    """
    with bench.connect() as connection:
        connection.execute("ALTER TABLE payments_ledgerentry DISABLE TRIGGER USER")
        for statement in _FILL:
            connection.execute(statement, {"first": first, "last": last})
        connection.execute("ALTER TABLE payments_ledgerentry ENABLE TRIGGER USER")
        connection.execute(_COUNT)
        connection.execute(f"VACUUM (ANALYZE) {TABLES}")
        connection.execute("VACUUM (ANALYZE) bookings_seatinventory")


def seconds_of(bench: Stage, command: str) -> float:
    """Return how many seconds a management command takes, with its start.

    Raises CalledProcessError if it finds a fault.
    """
    began = time.monotonic()
    environment = {**bench.environment, "DATABASE_STATEMENT_TIMEOUT_MS": "120000"}
    subprocess.run(
        [sys.executable, "bookings_service/manage.py", command],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.monotonic() - began


def write_plans(bench: Stage, size: int) -> Path:
    """Write the plan of each query of a booking's life at this size."""
    quote = bench.quotes(2, hot=False)
    path = PLANS / f"{size}.txt"
    PLANS.mkdir(parents=True, exist_ok=True)
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks._in_django", "_plans", str(quote), str(2 * GROWN)], cwd=ROOT, env=bench.environment,
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    path.write_text(f"{size:,} bookings in the table\n\n{output.stdout}", encoding="utf-8")
    return path


def main() -> None:
    """Grow, measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    lines = []
    with stage() as bench:
        in_process(bench, hot=False, seconds=2, quotes=2_000)  # warm
        grown = 0
        for size in sorted(options.sizes):
            grow(bench, first=grown, last=size - 1)
            grown = size
            rounds = [
                in_process(bench, hot=False, seconds=options.seconds, quotes=1_000 * options.seconds) for _ in range(3)
            ]
            with bench.connect() as connection:
                connection.execute(_COUNT)
            rate, own, database = (
                statistics.median(values)
                for values in zip(*((result.rate, result.own, result.database) for result in rounds), strict=True)
            )
            reconciling, checking = (seconds_of(bench, command) for command in ("reconcile_inventory", "check_ledger"))
            write_plans(bench, size)
            spread = f"{min(result.rate for result in rounds):.0f} – {max(result.rate for result in rounds):.0f}"
            lines.append(
                f"| {size:,} | {rate:.0f} ({spread}) | {own * 1_000:.2f} + {database * 1_000:.2f} | {reconciling:.1f} | {checking:.1f} |"
            )
            print(lines[-1], flush=True)
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}"
    text = [
        "# What a booking costs as bookings pile up",
        "",
        f"{datetime.date.today()}, {machine}; `./manage_all.py bench booking_growth`; bookings a second of two processes of four threads"
        " over a thousand departures, median of three (minimum – maximum). Targets: flat; `reconcile_inventory` over 100,000 in 30 s.",
        "",
        "| bookings in the table | bookings a second | CPU each, program + database, ms | `reconcile_inventory`, s | `check_ledger`, s |",
        "|---|---|---|---|---|",
        *lines,
        "",
        "The plans of every query are in [plans](plans/).",
        "",
    ]
    RESULT.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
