"""What a cancellation refunds. No database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_service.bookings.contracts import CancellationRule
from bookings_service.bookings.domain.cancellation import DepartureTerms, cancellation_terms
from shared.money import Money

POLICY = (CancellationRule(30, 100), CancellationRule(7, 50))
STARTS_AT = datetime(2027, 6, 1, tzinfo=UTC)


def euros(minor: int) -> Money:
    return Money.from_minor(minor, "EUR")


@pytest.mark.parametrize(("days", "percent"), [(31, 100), (30, 100), (29, 50), (7, 50), (6, 0), (0, 0)])
def test_the_cancellation_rule_counts_calendar_days(days: int, percent: int) -> None:
    starts_at = datetime(2027, 6, 1, 0, 30, tzinfo=UTC)

    terms = cancellation_terms(
        seat_prices=[euros(10_000), euros(10_001)], cancelled=[0, 1], refundable=euros(20_001), departure=DepartureTerms(starts_at, "UTC", POLICY),
        now=starts_at - timedelta(days=days, minutes=20),
    )  # fmt: skip

    assert terms.refund == euros(20_001).share(percent)
    assert terms.refund + terms.fee == euros(20_001)


def test_days_are_counted_in_the_time_zone_of_the_trip() -> None:
    """At 20:00 in London it is already tomorrow in Tokyo: one day less remains, and the lower percentage applies."""
    starts_at, now = datetime(2027, 6, 1, 3, tzinfo=UTC), datetime(2027, 5, 2, 20, tzinfo=UTC)
    in_both = [
        cancellation_terms(
            seat_prices=[euros(100)],
            cancelled=[0],
            refundable=euros(100),
            departure=DepartureTerms(starts_at, zone, POLICY),
            now=now,
        ).refund.minor
        for zone in ("Europe/London", "Asia/Tokyo")
    ]

    assert in_both == [100, 50]


def test_nothing_is_refunded_after_the_trip_has_begun() -> None:
    starts_at = datetime(2027, 6, 1, tzinfo=UTC)

    terms = cancellation_terms(
        seat_prices=[euros(100)], cancelled=[0], refundable=euros(100),
        departure=DepartureTerms(starts_at, "UTC", (CancellationRule(0, 100),)), now=starts_at,
    )  # fmt: skip

    assert (terms.refund.minor, terms.fee.minor) == (0, 100)


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=8),
    st.integers(0, 100),
    st.data(),
)
def test_a_refund_is_rounded_once_and_never_more_than_paid(
    seat_prices: list[int], percent: int, data: st.DataObject
) -> None:
    cancelled = data.draw(st.lists(st.integers(0, len(seat_prices) - 1), min_size=1, unique=True))
    starts_at = datetime(2027, 6, 1, tzinfo=UTC)

    terms = cancellation_terms(
        seat_prices=[euros(share) for share in seat_prices], cancelled=cancelled, refundable=euros(sum(seat_prices)),
        departure=DepartureTerms(starts_at, "UTC", (CancellationRule(0, percent),)), now=starts_at - timedelta(days=3),
    )  # fmt: skip

    affected = sum(seat_prices[index] for index in cancelled)
    assert terms.refund.minor == (2 * affected * percent + 100) // 200  # rounded half up, once
    assert terms.refund.minor + terms.fee.minor == affected


def test_the_refund_of_each_passenger_is_explained() -> None:
    terms = cancellation_terms(
        seat_prices=[euros(50_000), euros(50_001), euros(30_000)], cancelled=[0, 2], refundable=euros(130_001),
        departure=DepartureTerms(STARTS_AT, "Asia/Tokyo", POLICY), now=STARTS_AT - timedelta(days=10),
    )  # fmt: skip

    assert [text.en for text in terms.explanation] == [
        "The trip departs in 10 days (by the calendar of Asia/Tokyo).",
        "Cancelled at least 7 days before departure, 50 % of the price is refunded.",
        "Passenger 1: paid 500.00 EUR, refunded 250.00 EUR.",
        "Passenger 3: paid 300.00 EUR, refunded 150.00 EUR.",
        "Paid for 2 of 3 passengers: 800.00 EUR. Refunded: 400.00 EUR. Kept: 400.00 EUR.",
    ]


@pytest.mark.parametrize(("override", "refund", "kept"), [(0, 0, 100), (33, 33, 67), (100, 100, 0)])
def test_staff_may_set_another_percentage(override: int, refund: int, kept: int) -> None:
    terms = cancellation_terms(
        seat_prices=[euros(100)], cancelled=[0], refundable=euros(100), departure=DepartureTerms(STARTS_AT, "UTC", POLICY),
        now=STARTS_AT - timedelta(days=1), override_percent=override,
    )  # fmt: skip

    assert (terms.refund.minor, terms.fee.minor) == (refund, kept)
    assert terms.explanation[1].en == f"Set by our staff: {override} % of the price is refunded."


@pytest.mark.parametrize(("refundable", "refund", "kept"), [(100, 50, 50), (70, 50, 20), (30, 30, 0), (0, 0, 0)])
def test_no_more_is_refunded_than_is_refundable(refundable: int, refund: int, kept: int) -> None:
    """Staff have refunded a part of the 100 before. The rule of the trip would refund 50."""
    terms = cancellation_terms(
        seat_prices=[euros(100)], cancelled=[0], refundable=euros(refundable), departure=DepartureTerms(STARTS_AT, "UTC", POLICY),
        now=STARTS_AT - timedelta(days=10),
    )  # fmt: skip

    assert (terms.refund.minor, terms.fee.minor) == (refund, kept)
