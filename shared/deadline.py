"""How much time a request still has. It is made once at the edge, passed on, and never extended."""

import time
from dataclasses import dataclass

from shared.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the monotonic clock by which the caller wants an answer."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the deadline `seconds` from now."""
        return cls(at=time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the remaining seconds, 0 after the deadline."""
        return max(0.0, self.at - time.monotonic())

    def check(self) -> None:
        """Raise DeadlineExceeded after the deadline."""
        if self.remaining() <= 0:
            raise DeadlineExceeded

    def capped(self, seconds: float) -> "Deadline":
        """Return this deadline, or the one `seconds` from now if that is sooner."""
        return Deadline(at=min(self.at, time.monotonic() + seconds))
