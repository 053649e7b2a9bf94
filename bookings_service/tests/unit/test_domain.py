"""The rules of a booking. No database."""

from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_service.bookings import events
from bookings_service.bookings.contracts import CancellationRule, PassengerDetails, PassengerKind
from bookings_service.bookings.domain.booking import (
    RECORDED_AS,
    REFERENCE_ALPHABET,
    TRANSITIONS,
    Action,
    Reason,
    Status,
    check_party,
    check_passengers,
    check_renaming,
    new_reference,
    next_status,
    price_lines,
    total_of,
)
from bookings_service.bookings.domain.waitlist import (
    WAITLIST_TRANSITIONS,
    WaitlistAction,
    WaitlistStatus,
    next_waitlist_status,
)
from bookings_service.bookings.refusals import InvalidPassengers, NotChangeable
from bookings_service.payments.domain import LIVE, PAYMENT_TRANSITIONS, PaymentStatus
from shared.errors import IllegalTransition
from shared.money import Money
from shared.names import InvalidName

POLICY = (CancellationRule(30, 100), CancellationRule(7, 50))
DEPARTS = date(2027, 6, 1)


def euros(minor: int) -> Money:
    return Money.from_minor(minor, "EUR")


def test_the_table_has_exactly_the_designed_transitions() -> None:
    assert {(status.value, action.value): after.value for (status, action), after in TRANSITIONS.items()} == {
        ("PENDING", "PAY"): "CONFIRMED",
        ("PENDING", "EXPIRE"): "CANCELLED",
        ("PENDING", "CANCEL"): "CANCELLED",
        ("CONFIRMED", "CANCEL_PASSENGERS"): "CONFIRMED",
        ("CONFIRMED", "CANCEL"): "CANCELLED",
        ("CANCELLED", "PAY_LATE"): "CONFIRMED",
    }


def test_every_action_has_its_event_and_its_reasons() -> None:
    """Each event type is one that events.py builds, and every reason but that of a new booking belongs to an action."""
    built = {
        events.confirmed().type,
        events.cancelled(refund=euros(0)).type,
        events.passengers_cancelled(seats=1, refund=euros(0)).type,
    }
    assert built == {recorded.event for recorded in RECORDED_AS.values()}
    assert set(RECORDED_AS) == {action for _, action in TRANSITIONS} == set(Action)
    assert set().union(*(recorded.reasons for recorded in RECORDED_AS.values())) == set(Reason) - {Reason.HELD}


@pytest.mark.parametrize(
    ("status", "action"),
    [move for move in product(Status, Action) if move not in TRANSITIONS],
    ids=lambda value: value.value,
)
def test_any_other_transition_is_refused(status: Status, action: Action) -> None:
    with pytest.raises(IllegalTransition):
        next_status(status, action, current_reason=Reason.HOLD_EXPIRED)


@pytest.mark.parametrize(
    "reason", [Reason.CANCELLED_BY_TRAVELLER, Reason.CANCELLED_BY_STAFF, Reason.DEPARTURE_CANCELLED]
)
def test_a_late_payment_confirms_only_a_booking_whose_hold_expired(reason: Reason) -> None:
    assert next_status(Status.CANCELLED, Action.PAY_LATE, current_reason=Reason.HOLD_EXPIRED) is Status.CONFIRMED
    with pytest.raises(IllegalTransition):
        next_status(Status.CANCELLED, Action.PAY_LATE, current_reason=reason)


def test_an_ended_payment_has_no_further_transitions() -> None:
    assert [status for status, after in PAYMENT_TRANSITIONS.items() if not after] == [
        PaymentStatus.SUCCEEDED,
        PaymentStatus.FAILED,
    ]
    assert set(LIVE) == {status for status, after in PAYMENT_TRANSITIONS.items() if after}


def test_references_have_eight_unambiguous_characters() -> None:
    references = {new_reference() for _ in range(2_000)}

    assert len(references) == 2_000
    assert {len(reference) for reference in references} == {8}
    assert not set("".join(references)) & set("01OIlAEU")
    assert len(set(REFERENCE_ALPHABET)) == len(REFERENCE_ALPHABET)


@pytest.mark.parametrize(
    ("adults", "children"), [(0, 0), (-1, 0), (0, 2), (1, -1), (21, 0), (1, 20), (2**31 - 1, 0), (-(2**31), 0)]
)
def test_a_party_needs_an_adult_and_at_most_twenty_people(adults: int, children: int) -> None:
    with pytest.raises(InvalidPassengers):
        check_party(adults=adults, children=children)


def test_a_price_is_the_sum_of_its_lines_with_tax_included() -> None:
    lines = price_lines(
        adults=2, children=1, adult_price=euros(12_000), child_price=euros(6_001), tax_basis_points=2_000
    )

    assert [(line.quantity, line.total.minor, line.tax.minor) for line in lines] == [
        (2, 24_000, 4_000),
        (1, 6_001, 1_000),
    ]
    assert total_of(lines) == euros(30_001)


@given(st.integers(1, 10**7), st.integers(0, 10**7), st.integers(1, 15), st.integers(0, 5), st.integers(0, 5_000))
def test_no_price_loses_a_cent(adult: int, child: int, adults: int, children: int, tax: int) -> None:
    lines = price_lines(
        adults=adults, children=children, adult_price=euros(adult), child_price=euros(child), tax_basis_points=tax
    )

    assert total_of(lines).minor == adult * adults + child * children
    assert all(0 <= line.tax.minor <= line.total.minor for line in lines)


def passenger(birth: date | None, kind: PassengerKind, first_name: str = "Ann") -> PassengerDetails:
    return PassengerDetails(first_name, "Lindqvist", kind, birth)


@pytest.mark.parametrize(
    ("birth", "kind"),
    [
        (None, PassengerKind.CHILD),
        (date(2015, 6, 1), PassengerKind.CHILD),  # twelve on the day
        (date(2015, 6, 2), PassengerKind.ADULT),  # eleven on the day
        (date(2027, 6, 1), PassengerKind.CHILD),
        (date(1899, 12, 31), PassengerKind.ADULT),
    ],
)
def test_a_child_is_under_twelve_on_the_day_of_departure(birth: date | None, kind: PassengerKind) -> None:
    with pytest.raises(InvalidPassengers) as refused:
        check_passengers([passenger(birth, kind)], departs=DEPARTS)
    assert refused.value.field == "passengers.0.dateOfBirth"


def test_an_eleven_year_old_is_a_child() -> None:
    accepted = [passenger(date(2015, 6, 2), PassengerKind.CHILD), passenger(date(2015, 6, 1), PassengerKind.ADULT)]

    assert check_passengers(accepted, departs=DEPARTS) == accepted


@pytest.mark.parametrize(
    "name", ["", " ", "Ann\r\nBcc: x@example.org", "a\x00b", "\u202eAnn", "x" * 151, "{{ 7*7 }}", "<b>"]
)
def test_invalid_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidName) as refused:
        check_passengers([passenger(None, PassengerKind.ADULT, name)], departs=DEPARTS)
    assert refused.value.field == "passengers.0.firstName"


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        (datetime(2027, 5, 31, 14, 59, tzinfo=UTC), True),  # the day before, still, in Tokyo
        (datetime(2027, 5, 31, 15, 0, tzinfo=UTC), False),  # midnight there: the day of departure
        (datetime(2027, 6, 2, tzinfo=UTC), False),
    ],
)
def test_names_are_corrected_until_the_day_before_departure(now: datetime, allowed: bool) -> None:
    def corrected() -> None:
        check_renaming(starts_at=datetime(2027, 6, 1, 3, tzinfo=UTC), time_zone="Asia/Tokyo", now=now)

    if allowed:
        corrected()
    else:
        with pytest.raises(NotChangeable):
            corrected()


@pytest.mark.parametrize(("status", "action"), product(WaitlistStatus, WaitlistAction))
def test_a_waiting_list_entry_moves_only_as_its_table_allows(status: WaitlistStatus, action: WaitlistAction) -> None:
    if (status, action) in WAITLIST_TRANSITIONS:
        assert next_waitlist_status(status, action) is WAITLIST_TRANSITIONS[status, action]
    else:
        with pytest.raises(IllegalTransition):
            next_waitlist_status(status, action)
