"""Connections that outlive the check of their token: WebSockets and streams. They end when the token is revoked."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.auth.revocations import revocations
from shared.auth.tokens import Traveller, verify_access_token
from shared.errors import Unauthenticated, Unavailable


@dataclass(frozen=True, slots=True, eq=False)
class _Connection:
    """A traveller's open connection. `end` may be called from any thread, more than once."""

    traveller: Traveller
    end: Callable[[], None]


class OpenConnections:
    """The open connections of this process. Threads may share it."""

    def __init__(self) -> None:
        self._of_session: dict[UUID, set[_Connection]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def open(self, traveller: Traveller, *, end: Callable[[], None]) -> Iterator[None]:
        """Call `end` if the token of `traveller` is revoked during the block, or was revoked just before it."""
        connection = _Connection(traveller, end)
        with self._lock:
            self._of_session.setdefault(traveller.session_id, set()).add(connection)
        try:
            if revocations.has_ended(traveller.session_id):
                end()
            yield
        finally:
            with self._lock:
                connections = self._of_session[traveller.session_id]
                connections.discard(connection)
                if not connections:
                    del self._of_session[traveller.session_id]

    def end_session(self, session_id: UUID) -> None:
        """End the connections of a session."""
        with self._lock:
            connections = tuple(self._of_session.get(session_id, ()))
        for connection in connections:
            connection.end()

    def check_again(self) -> None:
        """End each connection whose token is no longer valid. Call it after the keys have changed."""
        with self._lock:
            connections = [connection for group in self._of_session.values() for connection in group]
        for connection in connections:
            try:
                verify_access_token(connection.traveller.token)
            except Unauthenticated:
                connection.end()
            except Unavailable:
                return


open_connections: Final = OpenConnections()
