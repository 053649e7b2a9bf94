"""Travellers who book and pay without a pause between them, and count what was refused."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.journeys.api import new_key
from tests.journeys.travellers import Departure, Traveller

SIGN_IN_SECONDS = 200.0  # an access token is valid for 300 s


@dataclass
class Tally:
    """What the load has done: the references of the CONFIRMED bookings, and what was answered instead of one."""

    confirmed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of the attempts that ended in a CONFIRMED booking."""
        attempts = len(self.confirmed) + len(self.refused)
        return len(self.confirmed) / attempts if attempts else 0.0


@dataclass
class Load:
    """Each traveller books one seat after the other, at most every `pause` seconds, until `enough` or the limit."""

    travellers: list[Traveller]
    departures: list[Departure]
    pause: float = 0.5
    limit: int | None = None
    tally: Tally = field(default_factory=Tally)
    enough: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._places = itertools.cycle(self.departures)
        self._turn = threading.Lock()
        self._begun = 0

    @contextmanager
    def running(self) -> Iterator[Tally]:
        """Book during the body, and until the bookings under way have ended. With a limit, until it is reached."""
        with ThreadPoolExecutor(len(self.travellers)) as pool:
            work: list[Future[None]] = [pool.submit(self._book_on, traveller) for traveller in self.travellers]
            try:
                yield self.tally
            finally:
                if self.limit is None:
                    self.enough.set()
                for done in work:
                    done.result()

    def _book_on(self, traveller: Traveller) -> None:
        signed_in = -SIGN_IN_SECONDS
        while not self.enough.is_set() and (departure := self._next()):
            began = time.monotonic()
            if began - signed_in >= SIGN_IN_SECONDS:
                traveller.sign_in()
                signed_in = began
            self._book(traveller, departure)
            self.enough.wait(max(0.0, self.pause - (time.monotonic() - began)))

    def _next(self) -> Departure | None:
        with self._turn:
            if self.limit is not None and self._begun >= self.limit:
                return None
            self._begun += 1
            return next(self._places)

    def _book(self, traveller: Traveller, departure: Departure) -> None:
        try:
            reference = str(traveller.hold(departure, adults=1)["reference"])
            paid = traveller.pay(reference, key=new_key()).field("payBooking")
            assert paid["errors"] == [], paid["errors"]
            assert paid["booking"]["status"] == "CONFIRMED", paid["booking"]["status"]
        except Exception as error:
            self.tally.refused.append(f"{type(error).__name__}: {error}"[:300])
        else:
            self.tally.confirmed.append(reference)
