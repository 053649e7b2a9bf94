"""A TCP proxy before the broker that can be told to swallow everything, as a broken network or a hung broker does.

The broker's answers name the broker's own address. The proxy replaces that address by its own, otherwise clients would
go around the proxy after their first question. Only for a broker without TLS.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from shared.settings.env import env

_PIECE: Final = 65_536
_HOST: Final = b"127.0.0.1"


class SwallowingProxy:
    """Passes bytes between clients and the broker. After `swallow` nothing passes, until `go_on`.

    Swallowed bytes are late, not lost: TCP sends them again. Connections stay open, and new ones are accepted by the
    kernel, but nobody answers.
    """

    def __init__(self, broker: str) -> None:
        host, _, port = broker.rpartition(":")
        self._broker = (host, int(port))
        self._passing = threading.Event()
        self._passing.set()
        self._sockets: list[socket.socket] = []
        self._generation = 0
        self._port = 0
        self.listen_again()

    @property
    def address(self) -> str:
        """Return the address for KAFKA_BOOTSTRAP_SERVERS."""
        return f"127.0.0.1:{self._port}"

    def swallow(self) -> None:
        """Let nothing pass from now on."""
        self._passing.clear()

    def go_on(self, *, forget: bool = False) -> None:
        """Pass everything again, and first what was swallowed.

        If `forget`, the connections of before stay silent for ever, as after a router that lost its table.
        """
        if forget:
            self._generation += 1
        self._passing.set()

    def refuse(self) -> None:
        """Close all connections and refuse new ones, as the port of a dead broker does, until `listen_again`."""
        for opened in (self._listener, *self._sockets):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        self._sockets.clear()

    def listen_again(self) -> None:
        """Accept connections again, at the same address."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Close all connections."""
        self._passing.set()
        self.refuse()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = listener.accept()
                self._passing.wait()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            broker = socket.create_connection(self._broker, timeout=5)
        except OSError:
            client.close()
            return
        broker.settimeout(None)
        self._sockets += [client, broker]
        for target, source in ((self._pass_requests, client), (self._pass_answers, broker)):
            other = broker if source is client else client
            threading.Thread(target=target, args=(source, other, self._generation), daemon=True).start()

    def _may_pass(self, generation: int) -> bool:
        """Wait while everything is swallowed. Return whether a connection of that generation is not forgotten."""
        self._passing.wait()
        return generation == self._generation

    def _pass_requests(self, client: socket.socket, broker: socket.socket, generation: int) -> None:
        with _both_closed(client, broker):
            while piece := client.recv(_PIECE):
                if self._may_pass(generation):
                    broker.sendall(piece)

    def _pass_answers(self, broker: socket.socket, client: socket.socket, generation: int) -> None:
        own, ours = self._broker[1], self._port
        with _both_closed(broker, client), broker.makefile("rb") as answers:
            while len(size := answers.read(4)) == 4:
                answer = answers.read(*struct.unpack(">i", size))
                for length in (struct.pack(">h", len(_HOST)), bytes([len(_HOST) + 1])):  # a string, a compact string
                    there = length + _HOST
                    answer = answer.replace(there + struct.pack(">i", own), there + struct.pack(">i", ours))
                if self._may_pass(generation):
                    client.sendall(size + answer)


class SwallowingNetwork(SwallowingProxy):
    """The same before any other server, whose answers name no address."""

    def _pass_answers(self, broker: socket.socket, client: socket.socket, generation: int) -> None:
        self._pass_requests(broker, client, generation)


@contextmanager
def _both_closed(one: socket.socket, other: socket.socket) -> Iterator[None]:
    """End both connections when one of them ends."""
    try:
        with suppress(OSError, ValueError):
            yield
    finally:
        for opened in (one, other):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


@contextmanager
def swallowing_proxy() -> Iterator[SwallowingProxy]:
    """Yield a proxy before the run's broker."""
    proxy = SwallowingProxy(env.str("KAFKA_BOOTSTRAP_SERVERS").split(",")[0])
    try:
        yield proxy
    finally:
        proxy.close()
