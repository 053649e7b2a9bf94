"""A broker and a mail and SMS provider without sockets: the test decides what becomes of each request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError

from shared.kafka.records import Record

PARTITIONS = 2
REFUSED, NOT_IN_TIME = KafkaError.INVALID_RECORD, KafkaError._MSG_TIMED_OUT


@dataclass
class Request:
    """A record that a producer sends, and the function that takes its delivery report."""

    topic: str
    key: str
    headers: list[tuple[str, bytes]]
    value: bytes
    report: Callable[[Any, Any], None]

    @property
    def event_id(self) -> str:
        """The id of the event."""
        return next(value.decode() for name, value in self.headers if name == "ce_id")


@dataclass
class Broker:
    """Topics in memory. `refuses` has the ids of events that it never takes."""

    logs: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)

    def append(self, request: Request) -> None:
        """Write the record to the partition of its key."""
        partition = sum(request.key.encode()) % PARTITIONS
        log = self.logs.setdefault((request.topic, partition), [])
        log.append(Record(request.topic, partition, len(log), request.key, request.headers, request.value))

    def records(self) -> list[Record]:
        """Return every record, each partition in its order."""
        return [record for log in self.logs.values() for record in log]


class Producer:
    """A producer whose requests wait until `answer` says what becomes of them. Reports arrive in `poll`."""

    def __init__(self, broker: Broker) -> None:
        self.waiting: list[Request] = []
        self._broker = broker
        self._reports: list[tuple[Request, KafkaError | None]] = []

    def produce(self, topic: str, *, key: bytes, value: bytes, headers: Any, on_delivery: Any) -> None:
        """Send a record."""
        self.waiting.append(Request(topic, key.decode(), headers, value, on_delivery))

    def answer(self, number: int, outcome: str) -> None:
        """Decide about one request, in any order.

        `written` and reported; `unreported`: written, and the report is an error; `late`: not written, and the report
        is an error. A request that the broker refuses has the error of a row that is at fault.
        """
        request = self.waiting.pop(number % len(self.waiting))
        if request.event_id in self._broker.refuses:
            self._reports.append((request, KafkaError(REFUSED)))
            return
        if outcome != "late":
            self._broker.append(request)
        self._reports.append((request, None if outcome == "written" else KafkaError(NOT_IN_TIME)))

    def poll(self, timeout: float) -> int:
        """Pass on the reports."""
        reports, self._reports = self._reports, []
        for request, error in reports:
            request.report(error, None)
        return len(reports)

    def purge(self) -> None:
        """Forget what was not answered."""
        self.waiting.clear()


@dataclass
class Providers:
    """The mail server and the SMS provider: how often they accepted each notification, by its id."""

    mails: dict[str, int] = field(default_factory=dict)
    sms: dict[str, int] = field(default_factory=dict)
