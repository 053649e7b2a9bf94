"""The committed seed data is complete and consistent, and the texts made from it are right in both languages."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.seeding import content, schedule
from destinations_service.catalogue.seeding.content import Words

TODAY = date(2026, 11, 23)


def trip(slug: str = "kyoto-temples-and-tea-houses") -> seed_data.TripRow:
    return next(row for row in seed_data.trips() if row.slug == slug)


def departures(row: seed_data.TripRow, today: date = TODAY) -> list[schedule.DepartureRow]:
    city = seed_data.city_of()[row.country, row.city]
    return list(schedule.departures(row, time_zone=city.time_zone, today=today))


def test_the_seed_data_has_the_promised_number_of_rows():
    assert len(seed_data.countries()) >= 249
    assert len(seed_data.cities()) >= 5_000
    assert len(seed_data.points_of_interest()) >= 150
    assert len(seed_data.trips()) == 200
    assert len(seed_data.exchange_rates()) >= 29


def test_slugs_are_unique_across_all_places_and_across_all_trips():
    places = [row.slug for row in (*seed_data.countries(), *seed_data.cities())] + [
        row.slug for row in seed_data.points_of_interest()
    ]
    for slugs in (places, [row.slug for row in seed_data.trips()]):
        assert [slug for slug, times in Counter(slugs).items() if times > 1 or not slug] == []


def test_every_row_names_a_city_and_every_city_a_country_and_a_time_zone():
    codes = {country.code for country in seed_data.countries()}
    for row in (*seed_data.points_of_interest(), *seed_data.trips()):
        assert (row.country, row.city) in seed_data.city_of(), row
    for city in seed_data.cities():
        assert city.country in codes, city
        assert abs(city.latitude) <= 90, city
        assert abs(city.longitude) <= 180, city
    for zone in {city.time_zone for city in seed_data.cities()} | {
        country.time_zone for country in seed_data.countries()
    }:
        ZoneInfo(zone)


def test_every_currency_has_a_rate_and_every_trip_a_reference_rate():
    known = seed_data.units_per_dollar()
    assert {country.currency for country in seed_data.countries() if country.currency} <= known.keys()
    assert {row.currency for row in seed_data.trips()} <= {row.currency for row in seed_data.exchange_rates()} | {"EUR"}
    assert len({row.day for row in seed_data.exchange_rates()}) == 1


def test_every_trip_has_departures_with_few_and_with_many_seats():
    for row in seed_data.trips():
        first = departures(row)[:20]
        assert len(first) == 20, row.slug
        assert sum(3 <= departure.capacity <= 8 for departure in first) >= 3, row.slug
        assert sum(departure.capacity >= 60 for departure in first) >= 3, row.slug


def test_departures_lie_in_the_next_twelve_months_and_end_after_they_start():
    for departure in departures(trip()):
        assert datetime(2026, 11, 24, tzinfo=UTC) < departure.starts_at < datetime(2027, 11, 25, tzinfo=UTC)
        assert departure.ends_at - departure.starts_at > timedelta(days=trip().days - 1)
        assert 0 < departure.child_price < departure.adult_price


def test_a_later_day_keeps_the_departures_and_adds_new_ones():
    for row in seed_data.trips()[:40]:
        now, later = departures(row), departures(row, TODAY + timedelta(days=30))
        horizon = datetime(2026, 12, 26, tzinfo=UTC)

        kept = {departure for departure in now if departure.starts_at > horizon}
        assert kept < set(later)
        assert {departure for departure in later if departure.starts_at <= now[-1].starts_at} >= kept


def test_every_policy_refunds_something_months_ahead_and_lists_its_rules_longest_first():
    assert {row.policy for row in seed_data.trips()} == schedule.POLICIES.keys()
    for rules in schedule.POLICIES.values():
        days = [days_before for days_before, _ in rules]
        assert days == sorted(days, reverse=True)
        assert days[0] <= 90
        assert all(0 < percent <= 100 for _, percent in rules)


@pytest.mark.parametrize(
    ("population", "en", "fr"),
    [
        (24_874_500, "24.9 million", "24,9 millions"),
        (1_500_000, "1.5 million", "1,5 million"),
        (2_000_000, "2 million", "2 millions"),
        (327_167_434, "327 million", "327 millions"),
        (143_207, "143,000", "143\u202f000"),
        (921, "921", "921"),
    ],
)
def test_populations_are_rounded_for_readers(population, en, fr):
    assert content.people_of(population) == Words(en, fr)


def test_a_city_is_described_in_both_languages():
    countries = {country.code: country for country in seed_data.countries()}
    paris = seed_data.city_of()["FR", "Paris"]

    assert content.city_summary(paris, countries["FR"], capital=True) == Words(
        "The capital of France, home to 2.1 million people.", "Capitale (France), 2,1 millions d'habitants."
    )
    assert content.city_description(paris, [Words("Louvre", "Louvre"), Words("Eiffel Tower", "Tour Eiffel")]) == Words(
        "Worth seeing: Louvre and Eiffel Tower. Local time is that of Europe/Paris.",
        "À voir : Louvre et Tour Eiffel. L'heure locale est celle de Europe/Paris.",
    )


def test_sample_prices_are_round_and_grow_with_the_level():
    expensive = dict(content.average_prices(level=Decimal("1.3"), units_per_dollar=Decimal(1)))
    cheap = dict(content.average_prices(level=Decimal("0.4"), units_per_dollar=Decimal(1)))

    assert all(expensive[category] > cheap[category] > 0 for category in content.IN_THE_UNITED_STATES)
    assert [content.rounded_price(Decimal(price)) for price in ("0.01", "3.14", "47.3", "823456")] == [
        Decimal("0.1"),
        Decimal("3.1"),
        Decimal(47),
        Decimal(820000),
    ]
