"""A gunicorn worker whose few threads do not wait for slow clients.

gunicorn's own worker reads a request in the thread that answers it, so eight clients that send half a request each
block the whole process. And its main loop waits up to two seconds for each client that does not close its connection.
Here the main loop, which can watch many connections, looks at what has arrived. A request gets a thread once it is
complete, or so large that hardly anybody sends many.
"""

import contextlib
import re
import socket
import time
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

REQUEST_SECONDS: Final = 30.0  # for which a request may have a thread
STOP_SECONDS: Final = 1.0  # for which a stopping worker waits for what is not complete
LARGEST: Final = 256_000  # bytes that are waited for without a thread
LARGEST_HEAD: Final = 64_000  # more than gunicorn accepts
LARGEST_CHUNKED: Final = 16_000
_END: Final = b"\r\n\r\n"
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*(\d{1,12})[ \t]*(?:\r|$)", re.IGNORECASE)
_EXPECTS: Final = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gives a connection a thread when its request is complete, and takes it back after REQUEST_SECONDS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._until: dict[Any, float] = {}  # the connections that have a thread

    def enqueue_req(self, conn: Any) -> None:
        """Wait for the connection's next request."""
        conn.seen = 0
        self._watch(conn, self.on_pending_socket_readable)

    def on_pending_socket_readable(self, conn: Any, client: Any) -> None:
        """Give the connection a thread, unless its request is not complete."""
        if _waits_for_more(conn):
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        conn.data_ready = True
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Answer a request. If the client has sent more, its connection ends: nobody has waited for the rest."""
        self._until[conn] = time.monotonic() + REQUEST_SECONDS
        try:
            return super().handle(conn) and not conn.parser.unreader.buf.getvalue()
        finally:
            del self._until[conn]

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Wait for the connection's next request, or let the client close it, without blocking the main loop.

        A connection that is closed while data arrives would lose the end of the answer.
        """
        if not self.alive or fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        conn.seen = 0
        with contextlib.suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        self._watch(conn, self._drain)

    def _drain(self, conn: Any, client: Any) -> None:
        """Read and ignore what still comes, and close the connection when the client has closed it."""
        data = b""
        with contextlib.suppress(OSError):
            data = client.recv(LARGEST_HEAD)
        conn.seen += len(data)
        if data and conn.seen < LARGEST:
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self.nr_conns -= 1
        conn.close()

    def _watch(self, conn: Any, readable: Callable[[Any, Any], None]) -> None:
        """Call `readable` when something comes, within `keepalive` seconds. Then the connection is closed."""
        conn.sock.setblocking(False)
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(readable, conn))

    def murder_pending(self) -> None:
        """Close what has waited too long. What has a thread for too long loses its connection, and so the thread."""
        now = time.monotonic()
        if not self.alive:
            for conn in self.pending_conns:
                conn.timeout = min(conn.timeout, now + STOP_SECONDS)
        super().murder_pending()
        for conn, until in tuple(self._until.items()):
            if until < now:
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)


def _waits_for_more(conn: Any) -> bool:
    """Return whether the request is incomplete. Then the socket becomes readable only when more of it has come."""
    try:
        data = conn.sock.recv(LARGEST, socket.MSG_PEEK)
        missing = missing_bytes(data)
        if missing and len(data) > conn.seen:  # otherwise the client has closed the connection
            if not conn.seen and _EXPECTS.search(data):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            conn.seen = len(data)
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(data) + missing)
            return True
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    except BlockingIOError:
        return True
    except OSError:
        pass  # the thread closes the connection
    return False


def missing_bytes(data: bytes) -> int:
    """Return how many bytes are missing at least until the request is complete. 0 for what is complete or too large."""
    head, end, _ = data.partition(_END)
    if not end:
        return 0 if len(data) >= LARGEST_HEAD else 1
    body = len(head) + len(end)
    if _CHUNKED.search(head):
        return 0 if len(data) >= LARGEST_CHUNKED else _missing_of_chunks(data, body)
    length = _LENGTH.search(head)
    whole = body + int(length[1]) if length else body
    return max(0, min(whole, LARGEST) - len(data))


def _missing_of_chunks(data: bytes, start: int) -> int:
    """Return how many bytes of a chunked body, which begins at `start`, are missing at least."""
    while (end := data.find(b"\r\n", start)) >= 0:
        try:
            size = int(data[start:end].split(b";")[0], 16)
        except ValueError:
            return 0  # gunicorn refuses it
        if size <= 0:
            return 0 if data.startswith(b"\r\n", end + 2) or data.find(_END, end) >= 0 else 1
        start = end + 2 + size + 2
        if start > len(data):
            return start - len(data)
    return 1
