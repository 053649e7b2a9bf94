"""The model that the proof of any order compares with: departures, their bookings, and webhooks not delivered yet."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from bookings_service.bookings.contracts import BookingView
from bookings_service.tests.buyer import Buyer
from bookings_service.tests.concurrency.provider import ReceivedWebhook
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
    """A booking as the model sees it, with the webhooks of its payments that are not delivered yet."""

    owner: Buyer
    view: BookingView
    departure: ModelDeparture
    webhooks: list[ReceivedWebhook] = field(default_factory=list)


class NothingToDo(Exception):
    """The rule (of Hypothesis: one kind of step) has nothing to do in the present state."""


RULE_NAMES: set[str] = set()
SUCCESSES: Counter[str] = Counter()


def must_succeed(act: Callable[..., Any]) -> Callable[..., Any]:
    """Count the successes of a rule. The step is not a request of a person, so a refusal is a failure too."""
    return _counted(act)


def may_be_refused(act: Callable[..., Any]) -> Callable[..., Any]:
    """Count the successes of a rule.

    A person acts, so a refusal is allowed. Any other exception is a failure.
    """
    return _counted(act, DomainError)


def _counted(act: Callable[..., Any], *allowed: type[Exception]) -> Callable[..., Any]:
    def acted(self: Any, **drawn: Any) -> None:
        self.was_idle = False
        try:
            act(self, **drawn)
            SUCCESSES[act.__name__] += 1
        except NothingToDo:
            self.was_idle = True  # nothing has changed: the invariants need no new check
        except allowed:
            return

    acted.__name__ = act.__name__
    RULE_NAMES.add(act.__name__)
    return acted


def pick(eligible: list[T], which: int) -> T:
    """Return the chosen element. Raises NothingToDo if the list is empty."""
    if not eligible:
        raise NothingToDo
    return eligible[which % len(eligible)]
