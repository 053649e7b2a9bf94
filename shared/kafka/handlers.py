"""Which function handles which event, and which events of its topics a service ignores.

A service has at most one handler for a message. Handlers and ignored messages are in an app's `consumers` module.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from google.protobuf.message import Message

from shared.cloudevents import BadEvent
from shared.events import EVENTS


@dataclass(frozen=True, slots=True)
class Received:
    """What a handler is given with an event's message.

    `at` is the time of this service's database when the handler's transaction began. `sequence` orders the aggregate's
    events. `again` means that staff want an effect twice: what exists already is used, and what was sent is sent again.
    The event's id is then a new one.
    """

    at: datetime
    event_id: str
    type: str
    key: str
    sequence: int
    request_id: str
    again: bool = False


Handler = Callable[..., None]
Handlers = dict[type[Message], Handler]
_F = TypeVar("_F", bound=Callable[..., None])

registered: Final[Handlers] = {}
ignored: Final[set[type[Message]]] = set()


def handles(*messages: type[Message]) -> Callable[[_F], _F]:
    """Register the decorated `def handler(event, *, received)` for `messages`.

    Raises KeyError for a message that is no event, and ValueError for a message that is ignored or has a handler
    already.
    """

    def register(handler: _F) -> _F:
        for message in messages:
            _check_event(message)
            if message in ignored:
                raise ValueError(f"{message.__name__} is both ignored and handled by {handler.__qualname__}")
            if registered.setdefault(message, handler) is not handler:
                raise ValueError(f"{message.__name__} has a handler already: {registered[message].__qualname__}")
        return handler

    return register


def ignores(*messages: type[Message]) -> None:
    """Say that this service needs nothing of `messages`, which come on the topics of its handlers.

    `lint` requires that a consumer handles or ignores each type of its topics, so that a new type is not overlooked.

    Raises KeyError for a message that is no event, and ValueError for a message that has a handler.
    """
    for message in messages:
        _check_event(message)
        if message in registered:
            raise ValueError(f"{message.__name__} is both ignored and handled by {registered[message].__qualname__}")
    ignored.update(messages)


@contextmanager
def parsing() -> Iterator[None]:
    """Report a value of the event that cannot be parsed as the fault of the message. Also a decorator.

    The event then becomes a dead letter without a further attempt, and it never brakes its type.
    """
    try:
        yield
    except (ValueError, ArithmeticError, KeyError) as error:
        raise BadEvent(f"{type(error).__name__}: {error}"[:500]) from error


def topics_of(handlers: Handlers) -> list[str]:
    """Return the topics, without prefix, on which the messages of `handlers` travel."""
    return sorted({EVENTS[message].topic for message in handlers})


def _check_event(message: type[Message]) -> None:
    if message not in EVENTS:
        raise KeyError(f"{message.__name__} is no event of shared.events")
