"""uvicorn's HTTP protocol, with limits for clients that are slow or endless. uvicorn runs it by `--http`.

uvicorn itself waits for ever for the end of a request, and keeps whatever the client sends as headers.
"""

import asyncio
from typing import Final, cast

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway_service.gateway.transport.one_write import OneWrite

HEAD_SECONDS: Final = 10.0  # from the first byte, or from the connection, to the end of the headers
REQUEST_SECONDS: Final = 40.0  # and to the end of the body
_LINGER_SECONDS: Final = 1.0
LARGEST_HEAD: Final = 128_000  # bytes that are kept; MAX_HEADER_BYTES refuses smaller ones with a body
_EMPTY: Final = b"connection: close\r\ncontent-length: 0\r\n\r\n"

log = structlog.get_logger(__name__)


class LimitedProtocol(HttpToolsProtocol):
    """Refuses a request that is not complete in time with 408, and headers that do not end with 431.

    Only a request that has not arrived whole is timed, so an answer, a stream or a WebSocket may last.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        self._one_write = OneWrite(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self._one_write))
        self._began = False
        self._in_head = True
        self._ended = False
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Stop waiting: the request was complete, and another protocol goes on, if it can read the request."""
        self._ended = True
        self._stop_waiting()
        self.transport = self._one_write.wrapped
        super().handle_websocket_upgrade()
        if not cast(WebSocketsSansIOProtocol, self.transport.get_protocol()).handshake_initiated:
            # It could not read the request, for example a POST, and would wait for ever.
            log.info("request_refused", status=400)
            self.transport.write(STATUS_LINE[400] + _EMPTY)
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Read what has arrived, and wait for the rest of a request that is not complete."""
        if self._ended:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._ended:
            return
        if self._in_head and self._head_bytes > LARGEST_HEAD:
            self._refuse(431)
        elif self._timer is None and (self._began or not self._is_answering()):
            self._timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._began = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header. Trailers of a chunked body are ignored: uvicorn would add them to the headers."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Note that the headers are complete."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop waiting: the request is complete."""
        self._began = False
        self._in_head = True  # what comes next
        self._head_bytes = 0
        self._stop_waiting()
        super().on_message_complete()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        """End the connection, unless the headers are complete. Then wait for the body."""
        if self._in_head:
            self._request_is_late()
        else:
            self._timer = self.loop.call_later(REQUEST_SECONDS - HEAD_SECONDS, self._request_is_late)

    def _request_is_late(self) -> None:
        """End the connection, unless the gateway itself is the reason why the request is not complete.

        It is while it does not read, and while it still answers the request before.
        """
        answering = self._is_answering()
        if self.flow.read_paused or (self._in_head and answering):
            self._timer = self.loop.call_later(HEAD_SECONDS, self._request_is_late)
        elif not self._began or (answering and self.cycle.response_started):
            self.transport.close()
        else:
            self._refuse(408)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int) -> None:
        """Answer `status` and end the connection. No whole request exists that the application could answer.

        What the client still sends is ignored for a moment, because closing at once would lose the answer.
        """
        log.info("request_refused", status=status)
        self._ended = True
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.write(STATUS_LINE[status] + _EMPTY)
            self.transport.write_eof()
            self._timer = self.loop.call_later(_LINGER_SECONDS, self.transport.close)
