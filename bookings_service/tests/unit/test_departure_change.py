"""What the move of a departure means for a traveller. No database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_service.bookings.domain.departure_change import Dates, Move, MoveSize, move

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2027, 5, 1, tzinfo=UTC)
BOUGHT = Dates(datetime(2027, 6, 1, 9, tzinfo=UTC), datetime(2027, 6, 4, 18, tzinfo=UTC))


def moved(start: timedelta, end: timedelta, *, present: Dates = BOUGHT, at: datetime = NOW) -> Move:
    new = Dates(BOUGHT.starts_at + start, BOUGHT.ends_at + end)
    return move(agreed=BOUGHT, present=present, new=new, at=at, small=2 * HOUR, answer=14 * DAY)


@pytest.mark.parametrize(
    ("start", "end", "size"),
    [
        (timedelta(0), timedelta(0), MoveSize.BACK),
        (timedelta(microseconds=1), timedelta(0), MoveSize.SMALL),
        (2 * HOUR - timedelta(microseconds=1), -2 * HOUR + timedelta(microseconds=1), MoveSize.SMALL),
        (2 * HOUR, timedelta(0), MoveSize.LARGE),
        (-2 * HOUR, timedelta(0), MoveSize.LARGE),
        (timedelta(0), 2 * HOUR, MoveSize.LARGE),
        (timedelta(0), -DAY, MoveSize.LARGE),
        (30 * DAY, 30 * DAY, MoveSize.LARGE),
    ],
)
def test_a_move_is_small_below_two_hours_of_start_and_end(start: timedelta, end: timedelta, size: MoveSize) -> None:
    assert moved(start, end).size is size


@pytest.mark.parametrize(
    ("at", "start", "until"),
    [
        (NOW, DAY, NOW + 14 * DAY),
        (BOUGHT.starts_at - 3 * DAY, DAY, BOUGHT.starts_at + DAY),
        (NOW, -28 * DAY, BOUGHT.starts_at - 28 * DAY),
        (BOUGHT.starts_at, -DAY, BOUGHT.starts_at),  # corrected after the trip had begun: nothing is free
        (NOW, HOUR, NOW),
    ],
)
def test_a_cancellation_is_free_for_two_weeks_and_until_the_new_start(
    at: datetime, start: timedelta, until: datetime
) -> None:
    assert moved(start, start, at=at).free_cancellation_until == until


def test_a_move_back_names_the_dates_that_it_replaces() -> None:
    present = Dates(BOUGHT.starts_at + DAY, BOUGHT.ends_at + DAY)

    back = moved(timedelta(0), timedelta(0), present=present)

    assert (back.previous, back.free_cancellation_until) == (present, NOW)
    assert moved(2 * DAY, 2 * DAY, present=present).previous == BOUGHT


@given(minutes=st.lists(st.integers(-60, 60), min_size=1, max_size=8))
def test_the_size_depends_on_the_distance_and_not_on_the_steps(minutes: list[int]) -> None:
    """However many small steps lead there, a departure two hours away from what was bought was moved a lot."""
    total = timedelta(minutes=sum(minutes))
    present = Dates(BOUGHT.starts_at + total / 2, BOUGHT.ends_at + total / 2)

    size = moved(total, total, present=present).size

    assert size is (MoveSize.BACK if not total else MoveSize.LARGE if abs(total) >= 2 * HOUR else MoveSize.SMALL)
