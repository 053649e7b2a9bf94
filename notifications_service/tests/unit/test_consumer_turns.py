"""A burst of events on one topic does not delay the events of another topic."""

from shared.inbox.consumer.assignment import Assignment
from shared.inbox.consumer.lanes import Lanes
from shared.kafka.records import Record

BOOKINGS, ACCOUNTS = "travel.bookings.booking", "travel.users.user"


def filled(*topics: str, batch: int) -> Lanes:
    """Return lanes with one record for each of `topics`, each of a key of its own, in this order."""
    lanes, assignment = Lanes(batch=batch, patience=0.0), Assignment()
    assignment.add([(topic, 0) for topic in dict.fromkeys(topics)])
    for offset, topic in enumerate(topics):
        share = assignment.share(topic, 0)
        assert share is not None
        record = Record(topic=topic, partition=0, offset=offset, key=f"key-{offset}", headers=[], value=b"{}")
        lanes.add(share, record, now=0.0)
    return lanes


def test_an_event_of_another_topic_is_in_the_next_batch():
    """Seen failing (not among the first 50 of 1,001) with one queue for all topics."""
    lanes = filled(*[BOOKINGS] * 1_000, ACCOUNTS, batch=50)

    batch = lanes.take(1.0)

    assert len(batch) == 50
    assert [work.record.offset for work in batch if work.record.topic == ACCOUNTS] == [1_000]


def test_topics_take_turns_and_each_keeps_its_order():
    lanes = filled(BOOKINGS, BOOKINGS, BOOKINGS, ACCOUNTS, ACCOUNTS, batch=5)

    assert [work.record.offset for work in lanes.take(1.0)] == [0, 3, 1, 4, 2]
