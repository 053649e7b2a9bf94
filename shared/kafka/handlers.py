"""Which function handles which event.

A service has at most one handler for a message, in an app's `consumers` module.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from google.protobuf.message import Message

from shared.events import EVENTS


@dataclass(frozen=True, slots=True)
class Received:
    """What a handler is given with an event's message.

    `at` is the time of this service's database when the handler's transaction began. `sequence` orders the aggregate's
    events.
    """

    at: datetime
    event_id: str
    type: str
    key: str
    sequence: int
    request_id: str


Handler = Callable[..., None]
Handlers = dict[type[Message], Handler]
_F = TypeVar("_F", bound=Callable[..., None])

registered: Final[Handlers] = {}


def handles(*messages: type[Message]) -> Callable[[_F], _F]:
    """Register the decorated `def handler(event, *, received)` for `messages`.

    Raises KeyError for a message that is no event, and ValueError for a message that has a handler already.
    """

    def register(handler: _F) -> _F:
        for message in messages:
            if message not in EVENTS:
                raise KeyError(f"{message.__name__} is no event of shared.events")
            if registered.setdefault(message, handler) is not handler:
                raise ValueError(f"{message.__name__} has a handler already: {registered[message].__qualname__}")
        return handler

    return register


def topics_of(handlers: Handlers) -> list[str]:
    """Return the topics, without prefix, on which the messages of `handlers` travel."""
    return sorted({EVENTS[message].topic for message in handlers})
