"""Books with and without the outbox in turn: `python -m benchmarks._in_django _outbox_worker FIRST PAIRS`.

One thread books. users_service is not called: its answer is replaced. It prints the milliseconds of each booking, as
JSON: those with the outbox, and those without.
"""

import json
import sys
import time
from unittest.mock import patch

from benchmarks._booking_worker import book
from shared.garbage import freeze_imported

WITHOUT = patch("bookings_service.bookings.services.booking.transition.publish")


def timed(number: int) -> float:
    """Return the milliseconds of a booking."""
    began = time.perf_counter()
    book(number)
    return (time.perf_counter() - began) * 1_000


def main() -> None:
    """Book pairs. The side that books first alternates too."""
    first, pairs = int(sys.argv[1]), int(sys.argv[2])
    freeze_imported()
    with_outbox: list[float] = []
    without: list[float] = []
    for pair in range(pairs):
        for side in (0, 1) if pair % 2 else (1, 0):
            number = first + 2 * pair + side
            if side:
                with_outbox.append(timed(number))
            else:
                with WITHOUT:
                    without.append(timed(number))
    print(json.dumps([with_outbox, without]), flush=True)


if __name__ == "__main__":
    main()
