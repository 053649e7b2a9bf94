"""The rows of one topic that the relay has in hand, and which of them may be sent now.

A row is sent only after every earlier row of its key was reported as delivered. So at most one row of a key is in
flight, and no failure, whatever its cause, lets a later row of the key overtake it.

The broker refuses a whole request if one of its rows is at fault. After a refusal the topic sends only the refused
rows, in groups, and waits for the reports of each group. A group that is refused is halved. A row that is refused
without other rows beside it is at fault itself.
"""

from collections import deque
from typing import Final

from shared.backoff import pause_before
from shared.outbox.rows import Row

BACKOFF: Final = (1.0, 2.0, 5.0, 10.0, 20.0)


class TopicQueue:
    """The rows of one topic that the relay holds. It only decides: `Delivery` sends what `next` returns."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.in_flight = 0
        self._ready: deque[Row] = deque()  # at most one row of each key: the first
        self._behind: dict[str, deque[Row]] = {}  # key → later rows; a key is here while its first row is in hand
        self._refused: dict[int, tuple[Row, str]] = {}
        self._suspects: deque[Row] = deque()
        self._group = 0  # how many suspects are sent together; 0 without suspects
        self._room = 0  # how many rows of the present group are still to be sent
        self._failures = 0
        self._due = 0.0

    @property
    def is_away(self) -> bool:
        """Whether the topic failed and was not tried with success since."""
        return self._failures > 0

    def is_due(self, now: float) -> bool:
        """Return whether it is time to try a failed topic again with its first row."""
        return self.is_away and now >= self._due and not self.in_flight

    def add(self, row: Row) -> None:
        """Take a row in hand. Rows of a key come in the order of their ids."""
        behind = self._behind.get(row.key)
        if behind is None:
            self._behind[row.key] = deque()
            self._ready.append(row)
        else:
            behind.append(row)

    def next(self) -> Row | None:
        """Return the next row that may be sent now, and count it as in flight. None if none may."""
        if self._group:
            if not self._room or not self._suspects:
                return None
            self._room -= 1
            row = self._suspects.popleft()
        elif self._ready and not self._refused:
            row = self._ready.popleft()
        else:
            return None
        self.in_flight += 1
        return row

    def put_back(self, row: Row) -> None:
        """Return a row from `next` that the producer had no room for."""
        self.in_flight -= 1
        if self._group:
            self._room += 1
            self._suspects.appendleft(row)
        else:
            self._ready.appendleft(row)

    def delivered(self, row: Row) -> None:
        """Note the report that `row` was delivered. The next row of its key may be sent."""
        self.in_flight -= 1
        self._failures = 0
        self._forget(row)

    def refused(self, row: Row, cause: str) -> None:
        """Note the report that a request with `row` in it was refused."""
        self.in_flight -= 1
        self._refused[row.id] = (row, cause)

    def failed(self, row: Row, now: float) -> list[int]:
        """Note that the topic cannot take `row` now. Let go of all rows that are not in flight, and return their ids.

        The topic is tried again after a pause, with one row.
        """
        self.in_flight -= 1
        if now >= self._due or not self.is_away:
            self._failures += 1
            self._due = now + pause_before(self._failures + 1, BACKOFF)
        gone = [row.id, *self._refused, *(waiting.id for waiting in (*self._ready, *self._suspects))]
        gone += [waiting.id for behind in self._behind.values() for waiting in behind]
        self._ready.clear()
        self._suspects.clear()
        self._refused.clear()
        self._behind.clear()
        self._group = 0
        return gone

    def rejected(self, row: Row) -> list[int]:
        """Note that `row` itself is at fault. Return the ids of the rows behind it, which leave the hand."""
        self.in_flight -= 1
        return self._let_go_behind(row)

    def decide(self) -> list[tuple[Row, str, list[int]]]:
        """Decide about refused rows once nothing is in flight.

        Return the rows that are at fault, each with its cause and the ids of the rows behind it, which leave the hand.
        """
        if self.in_flight or not (self._group or self._refused):
            return []
        at_fault: list[tuple[Row, str, list[int]]] = []
        if self._group == 1 and self._refused:
            at_fault = [(row, cause, self._let_go_behind(row)) for row, cause in self._refused.values()]
        elif self._refused:
            self._suspects.extendleft(row for row, _ in sorted(self._refused.values(), reverse=True))
            self._group = max(1, len(self._refused) // 2)
        else:
            self._group *= 2
        self._refused.clear()
        self._group = self._room = self._group if self._suspects else 0
        return at_fault

    def _let_go_behind(self, row: Row) -> list[int]:
        return [later.id for later in self._behind.pop(row.key, ())]

    def _forget(self, row: Row) -> None:
        behind = self._behind.get(row.key)
        if behind:
            self._ready.append(behind.popleft())
        else:
            self._behind.pop(row.key, None)
