"""Which record may start, without threads and without a clock."""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inbox.consumer.assignment import Assignment, Share, Work
from shared.inbox.consumer.lanes import Lanes
from shared.kafka.records import Record

TOPIC = "travel.bookings.booking"


def record(offset: int, key: str, *, partition: int = 0) -> Record:
    return Record(topic=TOPIC, partition=partition, offset=offset, key=key, headers=[], value=b"{}")


def share_of(number: int = 0) -> Share:
    assignment = Assignment()
    assignment.add([(TOPIC, number)])
    share = assignment.share(TOPIC, number)
    assert share is not None
    return share


def filled(*keys: str, batch: int = 50) -> tuple[Lanes, Share]:
    """Return lanes with one record for each key, at the offsets 0, 1, …"""
    lanes, share = Lanes(batch=batch, patience=0.0), share_of()
    for offset, key in enumerate(keys):
        lanes.add(share, record(offset, key), now=0.0)
    return lanes, share


def offsets(works: list[Work]) -> list[int]:
    return [work.record.offset for work in works]


def test_a_batch_has_the_records_of_a_key_in_order():
    lanes, _ = filled("a", "b", "a", "b")

    assert offsets(lanes.take(1.0)) == [0, 2, 1, 3]


def test_no_second_worker_gets_a_key_that_is_in_work():
    """A record of the key comes meanwhile. Seen failing if Lanes.add queues a busy lane, or take() leaves it idle."""
    lanes, share = filled("a", "a", "b", batch=1)

    first = lanes.take(1.0)
    lanes.add(share, record(3, "a"), now=1.0)
    second = lanes.take(1.0)

    assert (offsets(first), offsets(second)) == ([0], [2])
    assert lanes.take(1.0) == []
    share.finish(first[0])
    lanes.release(first, now=1.0)
    assert offsets(lanes.take(1.0)) == [1]


def test_records_without_a_key_wait_for_nothing():
    lanes, _ = filled("", "", "", batch=1)

    assert [offsets(lanes.take(1.0)) for _ in range(3)] == [[0], [1], [2]]


def test_a_failed_record_waits_and_other_keys_go_on():
    lanes, share = filled("a", "a", "b")
    works = lanes.take(1.0)

    lanes.fail(works[0], until=5.0)

    assert [lanes.may_start(work, 1.0) for work in works] == [False, False, True]
    share.finish(works[2])
    lanes.release(works, now=1.0)
    assert lanes.take(4.9) == []
    assert lanes.due_in(4.0) == pytest.approx(1.0)
    assert offsets(lanes.take(5.0)) == [0]


def test_a_record_that_failed_comes_alone():
    """In a batch it would undo the work of 49 others. Seen failing without the check for suspects in Lanes.take."""
    lanes, _ = filled("a", "b", batch=1)
    works = lanes.take(1.0)
    lanes.fail(works[0], until=1.0)
    lanes.release(works, now=1.0)
    lanes._batch = 50

    taken = [offsets(lanes.take(2.0)), offsets(lanes.take(2.0))]

    assert sorted(taken) == [[0], [1]]


def test_a_partition_that_waits_holds_no_other_back():
    lanes, first, second = Lanes(batch=50, patience=0.0), share_of(0), share_of(1)
    lanes.add(first, record(0, "a"), now=0.0)
    lanes.add(second, record(0, "b", partition=1), now=0.0)
    first.until = 3.0

    works = lanes.take(1.0)

    assert [work.record.key for work in works] == ["b"]
    assert [work.record.key for work in lanes.take(3.0)] == ["a"]


def test_everything_waits_for_the_database():
    lanes, _ = filled("a")

    lanes.block(until=3.0)

    assert lanes.take(2.9) == []
    assert lanes.due_in(1.0) == pytest.approx(2.0)
    assert offsets(lanes.take(3.0)) == [0]


def test_a_second_batch_begins_only_after_the_patience():
    """Seen failing if Lanes.take lets the next batch begin at once."""
    lanes, share = Lanes(batch=1, patience=0.5), share_of()
    for offset, key in enumerate("abc"):
        lanes.add(share, record(offset, key), now=0.0)

    assert offsets(lanes.take(1.0)) == [0]
    assert lanes.take(1.2) == []
    assert lanes.due_in(1.2) == pytest.approx(0.3)
    assert offsets(lanes.take(1.5)) == [1]


def test_nothing_of_an_ended_share_starts():
    """A partition is lost and comes back while its record is in work.

    Seen failing if Assignment.end does not end the share, and if Share.advance returns the offset of an ended share.
    """
    assignment, lanes = Assignment(), Lanes(batch=1, patience=0.0)
    assignment.add([(TOPIC, 0)])
    (old,) = assignment.of([(TOPIC, 0)])
    for offset in range(3):
        lanes.add(old, record(offset, "a"), now=0.0)
    in_hand = lanes.take(1.0)

    assignment.end([(TOPIC, 0)])
    assignment.add([(TOPIC, 0)])
    (new,) = assignment.of([(TOPIC, 0)])
    lanes.add(new, record(0, "a"), now=1.0)

    assert not lanes.may_start(in_hand[0], 1.0)
    old.finish(in_hand[0])
    lanes.release(in_hand, now=1.0)
    again = lanes.take(1.0)
    assert [(work.share.generation, work.record.offset) for work in again] == [(new.generation, 0)]
    assert lanes.take(1.0) == []
    assert (old.advance(), new.advance()) == (None, None)


def test_a_closing_share_starts_nothing_and_still_moves_its_offset():
    """Seen failing (take() never returned) if Lanes._queue takes the lanes of a closing share."""
    lanes, share = filled("a", "b", batch=1)
    works = lanes.take(1.0)

    share.closing = True

    assert lanes.take(1.0) == []
    assert lanes.due_in(1.0) is None
    share.finish(works[0])
    lanes.release(works, now=1.0)
    assert share.advance() == 1


def test_the_offset_covers_only_the_finished_prefix():
    """Seen failing with a Share.advance that returns the highest finished offset."""
    lanes, share = filled("a", "b", "c")
    first, second, third = lanes.take(1.0)

    share.finish(third)
    assert share.advance() is None
    share.finish(first)
    assert (share.advance(), share.advance()) == (1, None)
    share.finish(second)
    assert share.advance() == 3
    assert (share.size, share.bytes, share.unstored) == (0, 0, 0)


def test_a_record_finishes_only_as_the_first_of_its_key():
    lanes, share = filled("a", "a")
    _, second = lanes.take(1.0)

    with pytest.raises(ValueError, match="not the first unfinished record"):
        share.finish(second)


def test_a_finished_key_is_forgotten():
    lanes, share = filled(*map(str, range(200)))
    while works := lanes.take(1.0):
        for work in works:
            share.finish(work)
        lanes.release(works, now=1.0)

    assert share.lanes == {}
    assert lanes.due_in(1.0) is None


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), keys=st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=60))
def test_any_schedule_keeps_the_order_of_every_key(seed: int, keys: list[str]):
    """Three workers take, fail, finish and release as chance wants it, and the partition moves between."""
    chance, assignment, lanes = random.Random(seed), Assignment(), Lanes(batch=4, patience=0.0)
    assignment.add([(TOPIC, 0)])
    stored, polled, now = 0, 0, 0.0
    first_effects: dict[str, list[int]] = defaultdict(list)
    done: set[int] = set()
    hands: list[list[Work]] = []
    while stored < len(keys):
        now += 1.0
        (share,) = assignment.of([(TOPIC, 0)])
        match chance.choice(["poll", "take", "work", "work", "move", "store"]):
            case "poll" if polled < len(keys):
                lanes.add(share, record(polled, keys[polled]), now=now)
                polled += 1
            case "take" if len(hands) < 3 and (works := lanes.take(now)):
                hands.append(works)
            case "work" if hands:
                works = hands.pop(chance.randrange(len(hands)))
                for work in works:
                    if not lanes.may_start(work, now):
                        continue
                    if chance.random() < 0.2:
                        lanes.fail(work, until=now + chance.randint(0, 5))
                        continue
                    if work.record.offset not in done:  # the inbox row
                        done.add(work.record.offset)
                        first_effects[work.record.key].append(work.record.offset)
                    work.share.finish(work)
                lanes.release(works, now=now)
            case "move" if chance.random() < 0.1:
                assignment.end([(TOPIC, 0)])
                assignment.add([(TOPIC, 0)])
                polled = stored
            case "store":
                stored = share.advance() or stored

    assert done == set(range(len(keys)))
    for key, order in first_effects.items():
        assert key == "" or order == sorted(order)
