"""The rules of a booking: its states, what moves it between them, what it costs.

Pure, except new_reference, which is random: takes `now` and values, returns values or raises. No clock, no settings, no
database.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from bookings_service.bookings.contracts import PassengerDetails, PassengerKind, PriceLine
from bookings_service.bookings.refusals import InvalidPassengers, NotChangeable
from shared.errors import IllegalTransition
from shared.money import Money
from shared.names import clean_name
from shared.text import Text

CHILD_UNDER: Final = 12
MOST_PASSENGERS: Final = 20
# Without vowels no words appear. Without characters that look alike a reference can be read out on the phone.
REFERENCE_ALPHABET: Final = "23456789BCDFGHJKMNPQRSTVWXZ"
REFERENCE_LENGTH: Final = 8


class Status(StrEnum):
    """The status of a booking."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Reason(StrEnum):
    """Why a booking is in its status."""

    HELD = "HELD"
    PAID = "PAID"
    PASSENGERS_CANCELLED = "PASSENGERS_CANCELLED"
    CANCELLED_BY_TRAVELLER = "CANCELLED_BY_TRAVELLER"
    CANCELLED_BY_STAFF = "CANCELLED_BY_STAFF"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    DEPARTURE_CANCELLED = "DEPARTURE_CANCELLED"
    PAYMENT_FAILED = "PAYMENT_FAILED"


class Action(StrEnum):
    """What moves a booking to another status."""

    PAY = "PAY"
    EXPIRE = "EXPIRE"
    CANCEL = "CANCEL"
    CANCEL_PASSENGERS = "CANCEL_PASSENGERS"
    PAY_LATE = "PAY_LATE"


TRANSITIONS: Final[Mapping[tuple[Status, Action], Status]] = {
    (Status.PENDING, Action.PAY): Status.CONFIRMED,
    (Status.PENDING, Action.EXPIRE): Status.CANCELLED,
    (Status.PENDING, Action.CANCEL): Status.CANCELLED,
    (Status.CONFIRMED, Action.CANCEL_PASSENGERS): Status.CONFIRMED,
    (Status.CONFIRMED, Action.CANCEL): Status.CANCELLED,
    (Status.CANCELLED, Action.PAY_LATE): Status.CONFIRMED,  # only after a hold that ended, if seats are free
}


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """What an action writes in the booking's history: the type of its event, and the reasons it may give."""

    event: str
    reasons: frozenset[Reason]


RECORDED_AS: Final[Mapping[Action, ActionRecord]] = {
    Action.PAY: ActionRecord("booking.confirmed", frozenset({Reason.PAID})),
    Action.PAY_LATE: ActionRecord("booking.confirmed", frozenset({Reason.PAID})),
    Action.EXPIRE: ActionRecord("booking.cancelled", frozenset({Reason.HOLD_EXPIRED, Reason.PAYMENT_FAILED})),
    Action.CANCEL: ActionRecord(
        "booking.cancelled",
        frozenset({Reason.CANCELLED_BY_TRAVELLER, Reason.CANCELLED_BY_STAFF, Reason.DEPARTURE_CANCELLED}),
    ),
    Action.CANCEL_PASSENGERS: ActionRecord("booking.passengers_cancelled", frozenset({Reason.PASSENGERS_CANCELLED})),
}
HOLD_ENDED: Final = frozenset({Reason.HOLD_EXPIRED, Reason.PAYMENT_FAILED})


def next_status(status: Status, action: Action, *, current_reason: Reason | None = None) -> Status:
    """Return the status that `action` leads to. `current_reason` is why the booking is in `status`.

    Raises IllegalTransition if the table has no such move, and for PAY_LATE if the booking was not cancelled by the end
    of its hold.
    """
    if action is Action.PAY_LATE and current_reason not in HOLD_ENDED:
        raise IllegalTransition(status=status, action=action)
    try:
        return TRANSITIONS[status, action]
    except KeyError:
        raise IllegalTransition(status=status, action=action) from None


def new_reference() -> str:
    """Return a random reference that a person can read out: 8 characters of 27, about 2.8 × 10¹¹ possibilities."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))


def is_reference(text: str) -> bool:
    """Return whether `text` has the form of a reference. Callers treat any other text as an unknown reference."""
    return len(text) == REFERENCE_LENGTH and set(text) <= set(REFERENCE_ALPHABET)


def check_party(*, adults: int, children: int) -> None:
    """Require adults ≥ 1 and children ≥ 0, at most 20 in total. Raises InvalidPassengers."""
    if adults < 1 or children < 0 or adults + children > MOST_PASSENGERS:
        raise InvalidPassengers(field="adults" if adults < 1 or children >= 0 else "children")


def price_lines(
    *, adults: int, children: int, adult_price: Money, child_price: Money, tax_basis_points: int
) -> list[PriceLine]:
    """Return the price lines of the party. The prices include the tax."""
    lines = [_price_line(Text(en="Adult", fr="Adulte"), adults, adult_price, tax_basis_points)]
    if children:
        lines.append(_price_line(Text(en="Child", fr="Enfant"), children, child_price, tax_basis_points))
    return lines


def _price_line(label: Text, quantity: int, unit_price: Money, tax_basis_points: int) -> PriceLine:
    total = unit_price * quantity
    tax = Money.rounded(total.amount * tax_basis_points / Decimal(10_000 + tax_basis_points), total.currency)
    return PriceLine(label=label, quantity=quantity, unit_price=unit_price, total=total, tax=tax)


def total_of(lines: Sequence[PriceLine]) -> Money:
    """Return the sum of the price lines. There is at least one."""
    return sum((line.total for line in lines[1:]), lines[0].total)


def check_passengers(passengers: Sequence[PassengerDetails], *, departs: date) -> list[PassengerDetails]:
    """Return the passengers with their names cleaned.

    Raises InvalidName; and InvalidPassengers if a child has no date of birth or is 12 or older on the day of departure,
    if an adult is younger than 12, or if a date of birth is not between 1900 and the departure.
    """
    checked = []
    for index, passenger in enumerate(passengers):
        field = f"passengers.{index}"
        birth = passenger.date_of_birth
        is_child = passenger.kind is PassengerKind.CHILD
        if (birth is None and is_child) or (birth is not None and not date(1900, 1, 1) <= birth < departs):
            raise InvalidPassengers(field=f"{field}.dateOfBirth")
        if birth is not None and is_child != (age_on(departs, birth) < CHILD_UNDER):
            raise InvalidPassengers(field=f"{field}.dateOfBirth")
        checked.append(
            PassengerDetails(
                first_name=clean_name(passenger.first_name, field=f"{field}.firstName"),
                last_name=clean_name(passenger.last_name, field=f"{field}.lastName"),
                kind=passenger.kind,
                date_of_birth=birth,
            )
        )
    return checked


def check_renaming(*, starts_at: datetime, time_zone: str, now: datetime) -> None:
    """Raise NotChangeable on the day of departure and later, in the trip's time zone."""
    if local_date(now, time_zone) >= local_date(starts_at, time_zone):
        raise NotChangeable


def age_on(day: date, birth: date) -> int:
    """Return the age in whole years on `day`."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def local_date(instant: datetime, time_zone: str) -> date:
    """Return the calendar date of an instant in the trip's time zone."""
    return instant.astimezone(ZoneInfo(time_zone)).date()
