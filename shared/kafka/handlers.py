"""Which function handles which event. A service has one handler for a message, found in its apps' `consumers` modules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from google.protobuf.message import Message

from shared.events import EVENTS


@dataclass(frozen=True, slots=True)
class Received:
    """What a handler may know of an event beside its message.

    `at` is this database's clock at the start of the handler's transaction; `sequence` the aggregate's order.
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

    Raises KeyError for what is no event and ValueError where a message has a handler already: one event, one effect.
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
