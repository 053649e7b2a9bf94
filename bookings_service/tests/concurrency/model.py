"""What the proof of any order knows of bookings: a few departures, who booked what of them, the news that are still on their way."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from bookings_service.bookings.contracts import BookingView
from bookings_service.tests.concurrency.provider import ReceivedWebhook
from bookings_service.tests.conftest import Buyer
from shared.errors import DomainError

T = TypeVar("T")


@dataclass
class ModelDeparture:
    """A departure as the model sees it."""

    id: UUID
    capacity: int
    version: int = 1
    cancelled: bool = False


@dataclass
class ModelBooking:
    """A booking as the model sees it: who has it, what it costs, and the news of its payments that are still on their way."""

    owner: Buyer
    view: BookingView
    trip: ModelDeparture
    news: list[ReceivedWebhook] = field(default_factory=list)


class NothingToDo(Exception):
    """There is nothing that the rule could do now."""


RULE_NAMES: set[str] = set()
SUCCESSES: Counter[str] = Counter()


def must_succeed(act: Callable[..., Any]) -> Callable[..., Any]:
    """Count what came through. What happens by itself is refused by nobody: any exception is a failure."""
    return _counted(act)


def may_be_refused(act: Callable[..., Any]) -> Callable[..., Any]:
    """Count what came through, and let the rest be refused: to people a refusal is an answer, an error of the program is not."""
    return _counted(act, DomainError)


def _counted(act: Callable[..., Any], *let: type[Exception]) -> Callable[..., Any]:
    def acted(self: Any, **drawn: Any) -> None:
        self.was_idle = False
        try:
            act(self, **drawn)
            SUCCESSES[act.__name__] += 1
        except NothingToDo:
            self.was_idle = True  # nothing was done: nothing needs to be looked at again
        except let:
            return

    acted.__name__ = act.__name__
    RULE_NAMES.add(act.__name__)
    return acted


def pick(eligible: list[T], which: int) -> T:
    """Return the one that was drawn. Raises NothingToDo where there is none."""
    if not eligible:
        raise NothingToDo
    return eligible[which % len(eligible)]
