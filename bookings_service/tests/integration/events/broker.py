"""A broker in memory, behind the part of a producer that the relay uses. It reports only when it is polled."""

from collections import deque
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError


class Broker:
    """Takes records and reports on each when polled. `refuses` says which error it gives for a record, if any.

    It goes on with the next record after a refusal, as an idempotent producer does. `log` is what it took.
    """

    def __init__(self, refuses: Callable[[str, int], int | None] = lambda key, sequence: None) -> None:
        self.refuses = refuses
        self.log: list[tuple[str, int]] = []
        self.sent: deque[tuple[str, int, Any]] = deque()
        self.most_reports = 1_000_000

    def produce(self, topic: str, *, key: bytes, value: bytes, headers: Any, on_delivery: Any) -> None:
        self.sent.append((key.decode(), int(dict(headers)["ce_sequence"]), on_delivery))

    def poll(self, timeout: float) -> int:
        reports = [self.sent.popleft() for _ in range(min(self.most_reports, len(self.sent)))]
        for key, sequence, report in reports:
            error = self.refuses(key, sequence)
            if error is None:
                self.log.append((key, sequence))
            report(None if error is None else KafkaError(error), None)
        return len(reports)

    def purge(self) -> None:
        self.sent.clear()
