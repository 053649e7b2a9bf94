"""Changes of departures that people may have booked: rules first, then bookings_service, then the commit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from destinations_service.catalogue import services
from destinations_service.catalogue.contracts import DepartureChange
from destinations_service.catalogue.departure_rules import DepartureExists, DepartureHasBookings, DepartureStarted
from destinations_service.catalogue.models import Departure
from destinations_service.catalogue.services import departures as module
from destinations_service.tests.conftest import Bookings
from destinations_service.tests.factories import DepartureFactory, TripFactory
from destinations_service.tests.integration.test_departures import published
from shared.errors import Invalid, StaleVersion, Unavailable
from shared.text import Locale

pytestmark = pytest.mark.django_db

REASON = "The ferry does not run that week."


def change(departure, **fields):
    return services.change_departure(departure_id=departure.id, change=DepartureChange(**fields))


def test_a_refused_change_takes_no_seats_away(bookings: Bookings):
    """Seen failing (bookings_service was asked for 2 seats) when the change was checked after the question."""
    departure = DepartureFactory(capacity=8)

    with pytest.raises(Invalid) as refusal:
        change(departure, capacity=2, ends_at=departure.starts_at - timedelta(days=1))

    assert refusal.value.field == "endsAt"
    assert bookings.requests == []


def test_a_cut_that_is_not_committed_is_given_back_by_a_later_version(bookings: Bookings, monkeypatch):
    """Seen failing (nothing published) without the handler of `agreed_cut`."""
    departure = DepartureFactory(capacity=8)

    def fail(*args, **kwargs):
        raise RuntimeError("the commit fails")

    monkeypatch.setattr(module, "_commit", fail)
    with pytest.raises(RuntimeError):
        change(departure, capacity=2)

    departure.refresh_from_db()
    assert bookings.requests == [(2, 2)]
    assert (departure.capacity, departure.version, departure.cut_asked_at) == (8, 3, None)
    assert published(departure) == [("changed", 3)]  # after the version that bookings_service may have stored


def test_a_cut_whose_answer_is_lost_is_given_back(bookings: Bookings):
    bookings.unavailable = True
    departure = DepartureFactory(capacity=8)

    with pytest.raises(Unavailable):
        change(departure, capacity=2)

    departure.refresh_from_db()
    assert (departure.capacity, departure.version) == (8, 3)
    assert published(departure) == [("changed", 3)]


def test_a_change_between_question_and_commit_refuses_the_cut_and_gives_it_back(bookings: Bookings, monkeypatch):
    """Seen failing (the cut was committed over the other change) when the commit did not compare the version."""
    departure = DepartureFactory(capacity=8)
    real = module._commit

    def beside(*args, **kwargs):
        Departure.objects.filter(id=departure.id).update(version=2, adult_price=Decimal(120))
        return real(*args, **kwargs)

    monkeypatch.setattr(module, "_commit", beside)
    with pytest.raises(StaleVersion):
        change(departure, capacity=2)

    departure.refresh_from_db()
    assert (departure.capacity, departure.version) == (8, 3)


def test_a_cut_whose_caller_died_is_given_back_later(bookings: Bookings):
    departure = DepartureFactory(capacity=8)
    Departure.objects.filter(id=departure.id).update(cut_asked_at=datetime.now(UTC) - timedelta(minutes=1))
    recent = DepartureFactory(capacity=8)
    Departure.objects.filter(id=recent.id).update(cut_asked_at=datetime.now(UTC))

    assert services.heal_cuts() == 1
    assert services.heal_cuts() == 0

    departure.refresh_from_db()
    assert (departure.version, departure.cut_asked_at) == (3, None)
    assert published(departure) == [("changed", 3)]
    assert published(recent) == []


def test_new_dates_of_a_booked_departure_need_a_reason(bookings: Bookings):
    bookings.bookings, bookings.passengers = 3, 7
    departure = DepartureFactory()
    later = {"starts_at": departure.starts_at + timedelta(days=7), "ends_at": departure.ends_at + timedelta(days=7)}

    with pytest.raises(DepartureHasBookings) as refusal:
        change(departure, **later)
    assert refusal.value.params == {"bookings": 3, "passengers": 7}
    assert published(departure) == []

    change(departure, **later, reason=f" {REASON} ")

    departure.refresh_from_db()
    assert (departure.starts_at, departure.change_reason) == (later["starts_at"], REASON)
    assert departure.rescheduled_at is not None
    assert published(departure) == [("changed", 2)]


@pytest.mark.parametrize("field", ["adult_price", "child_price"])
def test_a_new_price_of_a_booked_departure_needs_a_reason(bookings: Bookings, field):
    bookings.bookings = 1
    departure = DepartureFactory()

    with pytest.raises(DepartureHasBookings):
        change(departure, **{field: Decimal("42.00")})

    change(departure, **{field: Decimal("42.00")}, reason=REASON)
    assert Departure.objects.get(id=departure.id).rescheduled_at is None  # only new dates are a move


def test_a_departure_that_nobody_booked_changes_without_a_reason(bookings: Bookings):
    departure = DepartureFactory()

    change(departure, starts_at=departure.starts_at + timedelta(hours=1))

    assert published(departure) == [("changed", 2)]


def test_new_dates_are_refused_if_bookings_cannot_say_whom_they_affect(bookings: Bookings):
    bookings.unavailable = True
    departure = DepartureFactory()

    with pytest.raises(Unavailable):
        change(departure, starts_at=departure.starts_at + timedelta(hours=1))

    assert published(departure) == []


def test_a_departure_that_has_started_keeps_its_dates(bookings: Bookings):
    departure = DepartureFactory(starts_at=datetime.now(UTC) - timedelta(hours=1))

    with pytest.raises(DepartureStarted):
        change(departure, starts_at=datetime.now(UTC) + timedelta(days=7))
    change(departure, status="CLOSED")

    assert published(departure) == [("changed", 2)]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"starts_at": datetime(2020, 1, 1, tzinfo=UTC)}, "startsAt", "must start in the future"),
        ({"ends_at": timedelta(days=300)}, "endsAt", "must take 4 to 6 days. These dates take 301"),
        ({"ends_at": timedelta(days=1)}, "endsAt", "must take 4 to 6 days. These dates take 2"),
        ({"capacity": 0}, "capacity", "must be 1 to 10000 seats"),
        ({"capacity": 10_001}, "capacity", "must be 1 to 10000 seats"),
        ({"adult_price": Decimal("10.005")}, "adultPrice", "EUR has at most 2 decimals"),
        ({"adult_price": Decimal(0)}, "adultPrice", "must be above 0"),
        ({"child_price": Decimal(-1)}, "childPrice", "must be 0 or more"),
        ({"adult_price": Decimal("NaN")}, "adultPrice", "must be above 0"),
        ({"time_zone": "Mars/Base"}, "timeZone", "time zone"),
    ],
)
def test_an_impossible_departure_is_refused_with_the_allowed_values(fields, field, words):
    starts_at = datetime(2028, 5, 1, 8, tzinfo=UTC)
    given = {
        "starts_at": starts_at, "ends_at": starts_at + timedelta(days=4), "time_zone": "Europe/Paris", "capacity": 10,
        "adult_price": Decimal(100), "child_price": Decimal(50), **fields,
    }  # fmt: skip
    if isinstance(given["ends_at"], timedelta):
        given["ends_at"] += starts_at

    with pytest.raises(Invalid) as refusal:
        services.schedule_departure(trip_id=TripFactory().id, **given)

    assert refusal.value.field == field
    assert words in str(refusal.value)
    assert refusal.value.localized(Locale.FR) != str(refusal.value)
    assert not Departure.objects.exists()


def test_a_second_departure_at_the_same_time_is_refused_with_that_time(bookings: Bookings):
    departure = DepartureFactory()
    fields = {name: getattr(departure, name) for name in ("starts_at", "ends_at", "time_zone", "capacity")}

    with pytest.raises(DepartureExists) as refusal:
        services.schedule_departure(
            trip_id=departure.trip_id, **fields, adult_price=Decimal(1), child_price=Decimal(1)
        )  # fmt: skip

    assert f"already has a departure on {departure.starts_at:%Y-%m-%d}" in str(refusal.value)


@pytest.mark.parametrize("reason", ["ab", "x" * 301, "a\nb"])
def test_a_reason_has_a_length_and_no_line_breaks(bookings: Bookings, reason):
    departure = DepartureFactory()

    with pytest.raises(Invalid) as refusal:
        change(departure, starts_at=departure.starts_at + timedelta(hours=1), reason=reason)

    assert refusal.value.field == "reason"
