"""The rules of a departure that the organiser moves after it was booked. Pure: values only.

A move is measured from the dates that the traveller agreed to: those that they bought, or accepted last. Several small
moves therefore add up to a large one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple


class Dates(NamedTuple):
    """When a trip starts and ends."""

    starts_at: datetime
    ends_at: datetime


class MoveSize(Enum):
    """How far a departure was moved from the dates that the traveller agreed to."""

    BACK = "back"  # it has those dates again
    SMALL = "small"  # the traveller is informed
    LARGE = "large"  # the traveller may cancel free of charge for a while


@dataclass(frozen=True, slots=True)
class Move:
    """A departure was moved at `at`.

    `previous` are the dates that the traveller agreed to. After a move back to those, they are the dates that the
    booking had until now. A cancellation before `free_cancellation_until` is free; after a small move that is `at`.
    """

    at: datetime
    size: MoveSize
    previous: Dates
    free_cancellation_until: datetime


def move(
    *, agreed: Dates, present: Dates, new: Dates, at: datetime, small: timedelta, answer: timedelta
) -> Move:  # fmt: skip
    """Return what moving a booking from its `present` dates to `new` ones means for its traveller.

    `agreed` are the dates that the traveller bought or accepted last. A move of both start and end by less than `small`
    is small. After a large move the traveller has `answer` time, but no longer than until the new start.
    """
    if new == agreed:
        return Move(at=at, size=MoveSize.BACK, previous=present, free_cancellation_until=at)
    if all(abs(after - before) < small for before, after in zip(agreed, new, strict=True)):
        return Move(at=at, size=MoveSize.SMALL, previous=agreed, free_cancellation_until=at)
    until = max(at, min(at + answer, new.starts_at))
    return Move(at=at, size=MoveSize.LARGE, previous=agreed, free_cancellation_until=until)
