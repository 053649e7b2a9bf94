"""The live status of one booking.

The graphql-transport-ws client reconnects without losing or repeating an event.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Event, Thread
from time import monotonic, time
from types import TracebackType
from typing import Any, Final, Self

from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from demo.failure import DemoFailed

PATIENCE_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.5
PROTOCOL: Final = Subprotocol("graphql-transport-ws")
TEMPORARY: Final = frozenset({"UPSTREAM_UNAVAILABLE", "DEADLINE_EXCEEDED", "RATE_LIMITED", "INTERNAL"})
DOCUMENT: Final = """
subscription Live($reference: String!, $after: Int) {
  bookingUpdated(reference: $reference, afterSequence: $after) {
    booking { status reason sequence }
    event { sequence type status reason at message }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Update:
    """One change that was pushed. `received` is in seconds since 1970."""

    sequence: int
    type: str
    status: str
    reason: str
    at: datetime
    message: str
    received: float


class LiveBooking:
    """Follows one booking in a thread. Calls `on_update` once with each update, in order."""

    def __init__(
        self,
        *,
        gateway_url: str,
        token: Callable[[], str | None],
        renew: Callable[[], None],
        reference: str,
        after: int,
        on_update: Callable[[Update], None],
        notice: Callable[[str], None],
    ) -> None:
        self.url = "ws" + gateway_url.removeprefix("http").rstrip("/") + "/graphql"
        self.token, self.renew, self.on_update, self.notice = token, renew, on_update, notice
        self.reference = reference
        self.last = after
        self.updates: list[Update] = []
        self.failure: str | None = None
        self.changed = Condition()
        self.subscribed = Event()
        self.stopping = Event()
        self.socket: Connection | None = None
        self.thread = Thread(target=self._follow, name="live", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        if self.socket:
            self.socket.close()
        self.thread.join(5)

    def wait(self, what: str, wanted: Callable[[Update], bool], *, patience: float = PATIENCE_SECONDS) -> Update:
        """Wait for an update that `wanted` accepts, and return it. Raises DemoFailed, which names `what`."""
        until = monotonic() + patience
        with self.changed:
            while True:
                if match := next((update for update in self.updates if wanted(update)), None):
                    return match
                if self.failure:
                    raise DemoFailed(self.failure)
                if not self.changed.wait(min(until - monotonic(), 1.0)) and monotonic() > until:
                    raise DemoFailed(f"{what} was not pushed within {patience:.0f} s")

    def _follow(self) -> None:
        """Connect and read. Connect again whenever the connection ends, until stopped."""
        while not self.stopping.is_set():
            try:
                with connect(
                    self.url,
                    subprotocols=[PROTOCOL],
                    open_timeout=5,
                    close_timeout=1,
                    ping_interval=10,
                    ping_timeout=10,
                ) as socket:
                    self.socket = socket
                    self._read(socket)
                self.stopping.wait(PAUSE_SECONDS)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else None
                if code == 4403:
                    self._renew()
                self._pause(f"the live connection ended{f' ({code})' if code else ''}")
            except (OSError, InvalidHandshake, TimeoutError, WebSocketException) as error:
                self._pause(f"the live connection cannot be made ({type(error).__name__})")
            except DemoFailed as failure:
                with self.changed:
                    self.failure = str(failure)
                    self.changed.notify_all()
                return

    def _renew(self) -> None:
        try:
            self.renew()
        except DemoFailed as failure:
            self.notice(str(failure))

    def _pause(self, problem: str) -> None:
        if not self.stopping.is_set():
            self.notice(f"{problem}; connecting again after event {self.last}")
            self.stopping.wait(PAUSE_SECONDS)

    def _read(self, socket: Connection) -> None:
        send(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token()}"}})
        for packed in socket:
            message: dict[str, Any] = json.loads(packed)
            match message["type"]:
                case "connection_ack":
                    variables = {"reference": self.reference, "after": self.last}
                    send(
                        socket, {"id": "1", "type": "subscribe", "payload": {"query": DOCUMENT, "variables": variables}}
                    )
                    self.subscribed.set()
                case "ping":
                    send(socket, {"type": "pong"})
                case "next" if message["payload"].get("data"):
                    self._take(update_of(message["payload"]["data"]["bookingUpdated"]))
                case "next" | "error":
                    self._refused(message["payload"])
                    return
                case "complete":
                    return

    def _refused(self, payload: Any) -> None:
        errors = payload if isinstance(payload, list) else payload.get("errors") or [{}]
        code = (errors[0].get("extensions") or {}).get("code", "INTERNAL")
        if code == "UNAUTHENTICATED":
            self._renew()
        elif code not in TEMPORARY:
            raise DemoFailed(f"the subscription was refused: {code}: {errors[0].get('message')}")
        self.notice(f"the live updates are unavailable ({code}); subscribing again after event {self.last}")

    def _take(self, update: Update) -> None:
        if update.sequence <= self.last:
            raise DemoFailed(f"event {update.sequence} was pushed twice")
        if update.sequence != self.last + 1:
            raise DemoFailed(f"event {self.last + 1} was never pushed: {update.sequence} came after {self.last}")
        self.last = update.sequence
        self.on_update(update)
        with self.changed:
            self.updates.append(update)
            self.changed.notify_all()


def send(socket: Connection, message: dict[str, Any]) -> None:
    """Send one protocol message."""
    socket.send(json.dumps(message))


def update_of(pushed: dict[str, Any]) -> Update:
    """Return the update that a payload holds."""
    event = pushed["event"]
    return Update(
        sequence=event["sequence"],
        type=event["type"],
        status=event["status"],
        reason=event["reason"],
        at=datetime.fromisoformat(event["at"]),
        message=event["message"],
        received=time(),
    )
