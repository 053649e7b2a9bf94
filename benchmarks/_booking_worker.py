"""A process that books in threads, without gRPC: `python -m benchmarks._in_django _booking_worker FIRST COUNT THREADS
SECONDS`.

users_service is not called: its answer is replaced. The process starts at a line on its stdin. It prints how many
bookings it made, in how many seconds, and with how much CPU time.
"""

import sys
import threading
import time
from unittest.mock import patch
from uuid import UUID

from django.db import connections

from benchmarks._stage import TRAVELLER, as_uuid
from bookings_service.bookings import upstream
from bookings_service.bookings.contracts import CreateBooking, PassengerDetails, PassengerKind
from bookings_service.bookings.services import create_booking
from shared.auth import Traveller
from shared.deadline import Deadline

patch.object(upstream, "check_traveller").start()
PARTY = tuple(PassengerDetails(name, "Lindqvist", PassengerKind.ADULT) for name in ("Ann", "Anna"))


def book(number: int) -> None:
    """Book the quote with this number, as its traveller."""
    traveller = Traveller(UUID(as_uuid(TRAVELLER + number)), UUID(int=number))
    command = CreateBooking(UUID(as_uuid(number)), PARTY, f"key-{number}")
    create_booking(command=command, traveller=traveller, deadline=Deadline.after(10))


def main() -> None:
    """Book until the time is over or every quote is used."""
    first, count, threads, seconds = (int(argument) for argument in sys.argv[1:5])
    numbers, lock, done = iter(range(first, first + count)), threading.Lock(), [0]
    print("ready", flush=True)
    sys.stdin.readline()
    began, used = time.monotonic(), time.process_time()
    end = began + seconds

    def work() -> None:
        made = 0
        while time.monotonic() < end:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            book(number)
            made += 1
        with lock:
            done[0] += made
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(done[0], time.monotonic() - began, time.process_time() - used, flush=True)


if __name__ == "__main__":
    main()
