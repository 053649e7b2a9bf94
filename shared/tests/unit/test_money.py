"""Money is exact: it never gains or loses a minor unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import CurrencyMismatch, Money

minors = st.integers(min_value=-(10**12), max_value=10**12)


@given(minors, st.lists(st.integers(min_value=0, max_value=1000), min_size=1).filter(any))
def test_parts_of_an_allocation_sum_to_the_whole(minor, weights):
    whole = Money.from_minor(minor, "EUR")

    parts = whole.allocate(weights)

    assert sum(part.minor for part in parts) == minor
    assert all(part.minor == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0 and minor == 0)


def test_largest_remainders_get_the_odd_cents():
    assert [part.minor for part in Money.from_minor(1000, "EUR").allocate([1, 1, 1])] == [334, 333, 333]
    assert [part.minor for part in Money.from_minor(100, "EUR").allocate([2, 1])] == [67, 33]


@pytest.mark.parametrize(("amount", "percent", "expected"), [("0.01", 50, 1), ("10.05", 50, 503), ("10.00", 0, 0)])
def test_a_share_is_rounded_once_half_up(amount, percent, expected):
    assert Money(Decimal(amount), "EUR").share(percent).minor == expected


@pytest.mark.parametrize(
    ("currency", "minor", "shown"), [("JPY", 500, "500 JPY"), ("EUR", 500, "5.00 EUR"), ("KWD", 500, "0.500 KWD")]
)
def test_minor_units_follow_the_currency(currency, minor, shown):
    money = Money.from_minor(minor, currency)

    assert str(money) == shown
    assert money.minor == minor


def test_finer_than_the_minor_unit_is_refused():
    with pytest.raises(ValueError, match="finer"):
        Money(Decimal("0.001"), "EUR")


def test_currencies_never_mix():
    with pytest.raises(CurrencyMismatch):
        Money.zero("EUR") + Money.zero("USD")


def test_conversion_lands_on_the_other_currencys_minor_unit():
    assert Money.from_minor(1000, "EUR").convert(Decimal("163.555"), "JPY") == Money.from_minor(1636, "JPY")
