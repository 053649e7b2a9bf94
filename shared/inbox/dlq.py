"""The topic of a consumer's dead letters: the message as it came, the cause and the number of attempts."""

from confluent_kafka import KafkaError, KafkaException, Producer

from shared.kafka.clients import producer
from shared.kafka.outcomes import BrokerUnavailable
from shared.kafka.records import Record

_DELIVERY_SECONDS = 10.0


class DeadLetterTopic:
    """Publishes dead letters of `consumer` to `<topic>.<consumer>.dlq` and waits until the broker has them."""

    def __init__(self, *, consumer: str) -> None:
        self._consumer = consumer
        self._producer: Producer | None = None

    def publish(self, record: Record, *, cause: str, attempts: int) -> None:
        """Publish `record`. Raises BrokerUnavailable if Kafka does not confirm it in time.

        The copy has no header that could not be read, and neither a value nor headers that are larger than the topic
        takes: the DeadLetter row keeps all of it.
        """
        about = [
            ("dlq_cause", cause[:500].encode("utf-8", "backslashreplace")),
            ("dlq_attempts", str(attempts).encode()),
            ("dlq_origin", f"{record.topic} {record.partition}/{record.offset}".encode()),
        ]
        without_value = [*about, ("dlq_value_omitted", b"too large")]
        error = self._send(record, record.value, [*record.headers, *about])
        if error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            error = self._send(record, b"", [*record.headers, *without_value])
        if error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            error = self._send(record, b"", [*without_value, ("dlq_headers_omitted", b"too large")])
        if error is not None:
            raise BrokerUnavailable(error.str())

    def _send(self, record: Record, value: bytes | None, headers: list[tuple[str, bytes]]) -> KafkaError | None:
        self._producer = self._producer or producer(f"{self._consumer}.dlq")
        reports: list[KafkaError | None] = []
        try:
            self._producer.produce(
                f"{record.topic}.{self._consumer}.dlq",
                value=value,
                key=record.key,
                headers=list(headers),
                on_delivery=lambda error, _: reports.append(error),
            )
        except KafkaException as refused:  # larger than the client takes
            error: KafkaError = refused.args[0]
            return error
        except BufferError:  # the client's queue is full, because the broker takes nothing
            return KafkaError(KafkaError._QUEUE_FULL)
        self._producer.flush(_DELIVERY_SECONDS)
        return reports[0] if reports else KafkaError(KafkaError._TIMED_OUT)
