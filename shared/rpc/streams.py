"""The open streams of a process. They have no end of their own: a revoked token or a stopping server ends them."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.auth import Traveller
from shared.auth.open_connections import open_connections
from shared.errors import DomainError, Unauthenticated, Unavailable


@dataclass(eq=False, slots=True)
class Stream:
    """An open stream, the task that serves it, and why it ends, if this server ends it."""

    task: asyncio.Task[Any] | None
    ending: DomainError | None = None
    _is_sending: bool = False

    def end(self, reason: DomainError) -> None:
        """End the stream, after the message that is being sent. Its client gets `reason`."""
        if self.task is None or self.ending is not None:
            return
        self.ending = reason
        if not self._is_sending:
            self.task.cancel()

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Leave the task alone during the body: gRPC would take its cancellation, and the client would get no status.

        Raises the reason afterwards if the stream was ended meanwhile.
        """
        self._is_sending = True
        try:
            yield
        finally:
            self._is_sending = False
        if self.ending is not None:
            raise self.ending


class OpenStreams:
    """The open streams of the process."""

    def __init__(self) -> None:
        self._open: set[Stream] = set()

    @contextlib.contextmanager
    def running(self) -> Iterator[Stream]:
        """Register the current task's stream during the body."""
        stream = Stream(asyncio.current_task())
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)

    @contextlib.contextmanager
    def until_revoked(self, stream: Stream, traveller: Traveller | None) -> Iterator[None]:
        """End the stream if the traveller's token is revoked during the body."""
        if traveller is None:
            yield
            return
        loop = asyncio.get_running_loop()

        def revoked() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and the stream with it
                loop.call_soon_threadsafe(stream.end, Unauthenticated())

        with open_connections.open(traveller, end=revoked):
            yield

    def end(self) -> None:
        """Answer UPSTREAM_UNAVAILABLE on every open stream of the running loop, so that its client reconnects."""
        loop = asyncio.get_running_loop()
        for stream in tuple(self._open):
            if stream.task is not None and stream.task.get_loop() is loop:
                stream.end(Unavailable(retry_after=1))


open_streams = OpenStreams()
