"""What the reads of bookings cost, in CPU time of the process that answers them, among a hundred thousand bookings.

It prints figures and asserts nothing.

`./manage_all.py bench booking_reads` needs no running platform. It writes the figures to
benchmarks/results/booking_reads.md and the plan of each statement to benchmarks/results/plans/reads.txt.
"""

import datetime
import platform
import subprocess
import sys
from typing import Final

import psutil

from benchmarks._stage import ROOT, Stage, as_uuid, stage
from benchmarks.booking_growth import GROWN, PLANS, grow

RESULT: Final = ROOT / "benchmarks" / "results" / "booking_reads.md"
SIZE: Final = 100_000
OWNED: Final = 24
PERSON: Final = 5 * 10**9


def give_bookings(bench: Stage) -> None:
    """Let one traveller have the first OWNED bookings."""
    ids = [as_uuid(GROWN + number) for number in range(OWNED)]
    with bench.connect() as connection:
        connection.execute(
            "UPDATE bookings_booking SET traveller_id = %s WHERE id = ANY(%s::uuid[])", [as_uuid(PERSON), ids]
        )
        connection.execute("VACUUM (ANALYZE) bookings_booking")


def main() -> None:
    """Measure, print, and write the results."""
    with stage() as bench:
        grow(bench, first=0, last=SIZE - 1)
        give_bookings(bench)
        command = [sys.executable, "-m", "benchmarks._in_django", "_reads", str(PERSON)]
        output = subprocess.run(
            command, cwd=ROOT, env=bench.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
    lines, _, plans = output.partition("\n===")
    print(lines)
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}"
    text = [
        "# What the reads of bookings cost",
        "",
        f"{datetime.date.today()}, {machine}; `./manage_all.py bench booking_reads`; CPU time of the process that answers, without"
        f" PostgreSQL and without the RPC around it, among {SIZE:,} bookings, least of ten batches.",
        "",
        "| read, with its messages | CPU, ms |",
        "|---|---|",
        lines.strip(),
        "",
        "The plans of every statement are in [reads.txt](plans/reads.txt).",
        "",
    ]
    RESULT.write_text("\n".join(text), encoding="utf-8")
    (PLANS / "reads.txt").write_text(f"{SIZE:,} bookings in the table\n\n==={plans}", encoding="utf-8")


if __name__ == "__main__":
    main()
