"""What waits for what in a consumer: a failing key, a partition without its dependency, a hung broker."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed
from notifications_service.tests.factories import confirmed, envelope
from shared.errors import Conflict, Unavailable
from shared.heartbeat import is_ready
from shared.ids import uuid7
from shared.inbox.consumer import EventConsumer, Limits
from shared.inbox.models import DeadLetter
from shared.settings.env import env
from shared.testing import eventually
from shared.testing.kafka import put_event
from shared.testing.kafka_wire import put_raw
from shared.testing.threads import in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics", "valkey")]

BOOKING = "travel.bookings.booking"


class Refuses(Conflict):
    """The handler refuses the event."""

    code = "TEST_REFUSES"


class Handler:
    """Notes the order of what took effect. `before` runs first, and may raise."""

    def __init__(self, before: Callable[[str], None]) -> None:
        self.done: list[str] = []
        self._before = before

    def __call__(self, _: BookingConfirmed, *, received: Any) -> None:
        """Handle a confirmation."""
        self._before(received.key)
        self.done.append(received.key)


@contextmanager
def consuming(handler: Handler, limits: Limits | None = None) -> Iterator[list[BaseException]]:
    """Run a consumer in a thread. Yield the list of what ended it."""
    stop = threading.Event()
    consumer = EventConsumer(name="notifications", handlers={BookingConfirmed: handler}, stop=stop, limits=limits)
    with in_thread(consumer.run, stop=stop.set) as ended:
        yield ended


def put_on_first_partition(key: str) -> None:
    event = envelope(confirmed(uuid7(), booking_id=key), key=key)
    headers = [(name.encode(), value) for name, value in event.headers()]
    put_raw(BOOKING, key=key.encode(), value=event.value, headers=headers)


def put_anywhere() -> str:
    """Put an event on the partition of its key, and return the key."""
    key = str(uuid7())
    put_event(BOOKING, envelope(confirmed(uuid7(), booking_id=key), key=key))
    return key


def test_a_failing_key_holds_no_other_key_of_its_partition_back():
    """There is one thread, and the failing record waits up to 0.5 s before each of its five attempts."""
    bad, good = str(uuid7()), str(uuid7())

    def refuse(key: str) -> None:
        if key == bad:
            raise Refuses

    handler = Handler(refuse)
    with consuming(handler, Limits(backoff=(0.5,), threads=1)):
        put_on_first_partition(bad)
        put_on_first_partition(good)
        eventually(lambda: handler.done == [good], timeout=15)
        assert not DeadLetter.objects.exists()
        eventually(lambda: DeadLetter.objects.filter(key=bad, attempts=5).exists(), timeout=15)


def test_a_dependency_holds_only_its_partition_back_and_counts_no_attempt():
    """Twelve other keys are on any partition. Those of the others take effect while the first partition waits."""
    away, stuck = threading.Event(), [str(uuid7()), str(uuid7())]
    away.set()
    asked: list[str] = []

    def ask(key: str) -> None:
        if key in stuck:
            asked.append(key)
            if away.is_set():
                raise Unavailable

    handler = Handler(ask)
    with consuming(handler) as ended:
        for key in stuck:
            put_on_first_partition(key)
        eventually(lambda: len(asked) >= 6, timeout=20)
        others = [put_anywhere() for _ in range(12)]  # by chance some of them are on the first partition
        eventually(lambda: len(handler.done) >= 4, timeout=10)
        assert not set(stuck) & set(handler.done)
        away.clear()
        eventually(lambda: set(handler.done) == {*others, *stuck}, timeout=15)

    assert [key for key in handler.done if key in stuck] == stuck
    assert ended == []
    assert not DeadLetter.objects.exists()


def test_a_slow_handler_does_not_hold_other_keys_back():
    """The other key comes while the slow transaction is open, so another worker takes it."""
    slow, begun, go = str(uuid7()), threading.Event(), threading.Event()

    def wait(key: str) -> None:
        if key == slow:
            begun.set()
            go.wait(20)

    handler = Handler(wait)
    with consuming(handler):
        put_on_first_partition(slow)
        assert begun.wait(15)
        put_on_first_partition(fast := str(uuid7()))
        try:
            eventually(lambda: handler.done == [fast], timeout=15)
        finally:
            go.set()
        eventually(lambda: slow in handler.done, timeout=15)


@contextmanager
def broker_hung() -> Iterator[None]:
    """Stop the broker's process for the body: it keeps its connections and answers nothing."""
    port = urlsplit(f"//{env.str('KAFKA_BOOTSTRAP_SERVERS')}").port
    pid = next(
        found.pid
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid
    )
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("seconds", [2.0, 8.0], ids=["within the session", "past the session"])
def test_a_hung_broker_is_noticed_and_consumption_goes_on_after_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, seconds: float
):
    """After the longer time the broker has dropped the consumer from the group, so it joins again."""
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    handler = Handler(lambda _: None)
    with consuming(handler) as ended:
        first = put_anywhere()
        eventually(lambda: handler.done == [first] and is_ready("notifications.consumer"), timeout=20)
        with broker_hung():
            begun = time.monotonic()
            eventually(lambda: not is_ready("notifications.consumer"), timeout=3.5)
            eventually(lambda: time.monotonic() - begun > seconds, timeout=seconds + 5)
        last = put_anywhere()
        eventually(lambda: last in handler.done, timeout=15)
        eventually(lambda: is_ready("notifications.consumer"), timeout=5)
        assert ended == []
