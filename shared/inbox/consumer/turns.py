"""The lanes that are ready: topics take turns, so a burst of events on one topic does not delay those of another.

A password reset is one event on the topic of the accounts. It must not wait for thousands of cancelled bookings.
"""

from collections import deque

from shared.inbox.consumer.assignment import Lane


class Turns:
    """A queue of lanes. Within a topic the oldest comes first; after each lane it is the next topic's turn."""

    def __init__(self) -> None:
        self._by_topic: dict[str, deque[Lane]] = {}  # in the order of their turns

    def __len__(self) -> int:
        """Return the number of lanes."""
        return sum(map(len, self._by_topic.values()))

    def __bool__(self) -> bool:
        """Return whether there is a lane."""
        return bool(self._by_topic)

    def __getitem__(self, index: int) -> Lane:
        """Return the lane that `popleft` returns next. `index` is 0, as for a deque. Raises IndexError for another."""
        if index != 0 or not self._by_topic:
            raise IndexError(index)
        return next(iter(self._by_topic.values()))[0]

    def append(self, lane: Lane) -> None:
        """Put the lane at the end of its topic."""
        self._by_topic.setdefault(lane.share.partition[0], deque()).append(lane)

    def popleft(self) -> Lane:
        """Remove and return the next lane. Its topic's next turn comes after those of the other topics."""
        topic = next(iter(self._by_topic))
        lanes = self._by_topic.pop(topic)
        lane = lanes.popleft()
        if lanes:
            self._by_topic[topic] = lanes
        return lane
