"""Records that one hostile or broken producer can send, and that may neither end nor stall a consumer."""

import uuid
from dataclasses import replace
from typing import Final

import pytest
from confluent_kafka import Producer

from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed
from notifications_service.tests.factories import confirmed, envelope
from notifications_service.tests.integration.test_consumer import BOOKING, running
from shared.cloudevents import Envelope
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox.models import DeadLetter
from shared.kafka import Received
from shared.kafka.clients import connection
from shared.testing import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics", "valkey")]

PARTITION: Final = 0
MOST_BYTES: Final = 4 * 1024 * 1024


def an_event() -> Envelope:
    """Return the event of a booking of its own."""
    return envelope(confirmed(uuid7()), key=str(uuid7()))


def send(event: Envelope, **settings: object) -> int:
    """Put `event` on PARTITION by a producer with `settings`, and return its offset."""
    producer = Producer({**connection(), **settings})
    offsets: list[int] = []
    producer.produce(
        topic_name(BOOKING),
        partition=PARTITION,
        key=event.key.encode(),
        value=event.value,
        headers=list(event.headers()),
        on_delivery=lambda _, message: offsets.append(message.offset() or 0),
    )
    assert producer.flush(60) == 0
    return offsets[0]


def test_an_open_transaction_of_a_foreign_producer_holds_no_event_back() -> None:
    """Seen failing (nothing was handled) without the isolation level "read_uncommitted"."""
    # given
    foreign = Producer({**connection(), "transactional.id": f"foreign-{uuid.uuid4()}"})
    foreign.init_transactions(15)
    foreign.begin_transaction()
    foreign.produce(topic_name(BOOKING), key=b"foreign", value=b"{}", partition=PARTITION)
    foreign.flush(10)
    event, handled = an_event(), []

    def handle(_: BookingConfirmed, *, received: Received) -> None:
        handled.append(received.event_id)

    # when
    send(event)
    with running({BookingConfirmed: handle}) as ended:
        # then
        assert eventually(lambda: event.id in handled)
        assert not ended
    foreign.abort_transaction(10)


@pytest.mark.parametrize(
    ("codec", "bytes_", "cause"), [("gzip", 10_000_000, "value of"), ("zstd", 150_000_000, "Decom")]
)
def test_a_small_batch_that_is_huge_when_it_is_decompressed_is_set_aside(codec: str, bytes_: int, cause: str) -> None:
    """A broker takes a compressed batch of a few kilobytes, whatever its size will be.

    Seen failing without `Unreadable` (zstd: nothing behind it was ever read) and without the limit in `Record.of`
    (gzip: the letter held all of it; of 600 MB, the database closed every connection, and the consumer waited for
    ever).
    """
    # given
    bomb, event, handled = replace(an_event(), value=b"{" + b" " * bytes_), an_event(), []

    def handle(_: BookingConfirmed, *, received: Received) -> None:
        handled.append(received.event_id)

    # when
    offset = send(bomb, **{"compression.type": codec, "message.max.bytes": 999_000_000})
    send(event)
    with running({BookingConfirmed: handle}) as ended:
        # then
        assert eventually(lambda: event.id in handled, timeout=30)
        letters = DeadLetter.objects.filter(topic=topic_name(BOOKING), partition=PARTITION, offset=offset)
        letter = eventually(letters.first)
        assert letter.status == DeadLetter.Status.DEAD
        assert letter.cause.startswith(cause)
        assert len(letter.value or b"") <= MOST_BYTES
        assert not ended
