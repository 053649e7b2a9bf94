"""Asks the broker for a sign of life once a second, so that a hung broker is noticed within 3 s.

A hung broker keeps its connections open and answers nothing: it was stopped, or the network swallows packets.
librdkafka alone notices that after a minute. The probe has a client with short time-outs. Those would be wrong for a
producer or a consumer, whose requests may take longer.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from confluent_kafka import KafkaException, Producer

from shared.events import TOPICS, topic_name
from shared.kafka.clients import producer

PERIOD_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 1.5
# The broker's answer is late after ANSWER_SECONDS. The half-open connection is dropped a little later, so that the next
# question finds a new one.
_SOCKET_MS: Final = 1_500

log = structlog.get_logger(__name__)


class BrokerProbe:
    """Tells whether the broker answers: `answers` changes at most 3 s after the broker hangs, dies or returns.

    `answers` is False until the first answer, which comes within about 0.1 s of `start`. `on_change` is called with
    each new value, in the probe's thread. It must return soon, and an exception that it raises is logged. The thread
    is a daemon: a process that ends does not wait for it.
    """

    def __init__(self, client: str, *, on_change: Callable[[bool], object] = lambda _: None) -> None:
        self._client = client
        self._on_change = on_change
        self._answers = False
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._silence_logged = False
        self._thread: threading.Thread | None = None

    @property
    def answers(self) -> bool:
        """Return whether the broker answered the last question."""
        return self._answers

    def start(self) -> None:
        """Start asking, unless it has started. Never call it before a fork."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"{self._client}-probe", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop asking soon. Does not wait. `answers` keeps its last value."""
        self._stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, at most `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def wait(self, *, answers: bool, seconds: float) -> bool:
        """Wait until `self.answers` is `answers`, at most `seconds`. Return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._answers == answers, seconds)

    def _run(self) -> None:
        client = _client(f"{self._client}-probe")
        while not self._stopping.is_set():
            asked = time.monotonic()
            answers = _answers(client)
            if self._stopping.is_set():
                return
            self._note(answers)
            self._stopping.wait(max(0.0, asked + PERIOD_SECONDS - time.monotonic()))

    def _note(self, answers: bool) -> None:
        self._log(answers)
        if answers == self._answers:
            return
        with self._changed:
            self._answers = answers
            self._changed.notify_all()
        try:
            self._on_change(answers)
        except Exception:
            log.exception("broker_probe_callback_failed", probe=self._client)

    def _log(self, answers: bool) -> None:
        """Log each silence once, and its end."""
        if answers and self._silence_logged:
            log.info("broker_answers", probe=self._client)
        elif not answers and not self._silence_logged:
            log.warning("broker_silent", probe=self._client)
        self._silence_logged = not answers


def _client(name: str) -> Producer:
    """Return a client that gives up a silent connection soon. A producer has fewer threads than other clients."""
    return producer(
        name,
        **{
            "socket.timeout.ms": _SOCKET_MS,
            "socket.connection.setup.timeout.ms": 1_500,
            "api.version.request.timeout.ms": 1_500,
            "reconnect.backoff.max.ms": 500,
            "topic.metadata.refresh.interval.ms": -1,  # the questions are enough
            "enable.idempotence": False,  # nothing is produced, so no producer id is fetched
            "log_level": 0,  # the probe itself logs the outage
        },
    )


def _answers(client: Producer) -> bool:
    with suppress(KafkaException):
        # Only one topic is asked for: a cluster may have thousands.
        client.list_topics(topic_name(TOPICS[0].name), timeout=ANSWER_SECONDS)
        return True
    client.poll(0)  # calls log_refusal
    return False
