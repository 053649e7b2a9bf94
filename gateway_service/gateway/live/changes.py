"""What can be watched, and what a watcher is told about it."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The kind of a subject. Whoever watches a traveller watches all their bookings."""

    BOOKING = "booking"
    DEPARTURE = "departure"
    TRAVELLER = "traveller"


@dataclass(frozen=True, slots=True)
class Subject:
    """A booking, a departure or a traveller, by id."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Change:
    """How far a booking or a departure has come.

    Only a booking has a `traveller_id`, and only a departure has `seats_available`.
    """

    subject: Subject
    sequence: int
    traveller_id: str = ""
    seats_available: int = 0

    def watched_subjects(self) -> tuple[Subject, ...]:
        """Return the subjects whose watchers must be woken: the subject itself, and the traveller of a booking."""
        if self.traveller_id:
            return self.subject, Subject(Kind.TRAVELLER, self.traveller_id)
        return (self.subject,)
