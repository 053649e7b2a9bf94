"""A transport that sends the head and the body of an answer by one system call.

uvloop sends each `write` at once, and uvicorn writes head and body separately. A system call that sends costs a tenth
of a small answer.
"""

import asyncio
from typing import Any


class OneWrite:
    """Wraps a transport: what is written in one turn of the event loop is sent together, in the next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.wrapped = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send `data` soon."""
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def write_eof(self) -> None:
        """Send everything, and then the end."""
        self._send()
        self.wrapped.write_eof()

    def close(self) -> None:
        """Send everything, and close the connection."""
        self._send()
        self.wrapped.close()

    def _send(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self.wrapped.is_closing():
            self.wrapped.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)
