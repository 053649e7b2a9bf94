"""Waits grow to their limit, and differ from process to process."""

from shared.backoff import pause_before

STEPS = (1.0, 10.0)


def test_a_wait_is_between_half_its_step_and_the_whole():
    assert all(0.5 <= pause_before(2, STEPS) <= 1.0 for _ in range(100))
    assert all(5.0 <= pause_before(attempt, STEPS) <= 10.0 for attempt in (3, 4, 40) for _ in range(100))


def test_two_processes_wait_differently():
    assert len({pause_before(3, STEPS) for _ in range(20)}) > 1
