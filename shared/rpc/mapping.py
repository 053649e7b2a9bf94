"""Converts protobuf values and Python values: money, instants, ids, languages and pages."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from contracts.travel.common.v1 import common_pb2
from shared.errors import Invalid
from shared.money import Money
from shared.text import DEFAULT_LOCALE, Locale, Text

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCALES: Final = {Locale.EN: common_pb2.LOCALE_EN, Locale.FR: common_pb2.LOCALE_FR}
_LOCALES_BACK: Final[Mapping[int, Locale]] = {value: key for key, value in _LOCALES.items()}


def money_to_proto(money: Money) -> common_pb2.Money:
    """Return `money` in minor units."""
    return common_pb2.Money(minor_units=money.minor, currency_code=money.currency)


def money_from_proto(money: common_pb2.Money) -> Money:
    """Return the amount as Money."""
    return Money.from_minor(money.minor_units, money.currency_code)


def money_of(money: common_pb2.Money, field: str) -> Money:
    """Return an amount that a caller sent. Raises Invalid, which names `field`, if its currency is unknown."""
    try:
        return money_from_proto(money)
    except (ValueError, KeyError):
        raise Invalid(field=field) from None


def ts(instant: datetime | None) -> Timestamp | None:
    """Return the aware `instant` as a Timestamp. None stays None, which leaves a message's field unset."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError("an instant on the wire needs its zone")
    since = instant - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def from_ts(stamp: Timestamp) -> datetime | None:
    """Return the instant in UTC, or None if the Timestamp was never set."""
    if not stamp.seconds and not stamp.nanos:
        return None
    return stamp.ToDatetime(tzinfo=UTC)


def uuid_of(value: str, field: str) -> UUID:
    """Parse a UUID in its canonical form of 36 characters. Raises Invalid, which names `field`, for any other form."""
    try:
        parsed = UUID(value)
    except ValueError:
        raise Invalid(field=field) from None
    if str(parsed) != value.lower():
        raise Invalid(field=field)
    return parsed


def uuids_of(values: Iterable[str], field: str) -> list[UUID]:
    """Parse UUIDs, in order. Raises Invalid, which names `field`."""
    return [uuid_of(value, field) for value in values]


def date_of(value: str, field: str) -> date | None:
    """Parse an ISO 8601 date. An empty value is None. Raises Invalid, which names `field`."""
    if not value:
        return None
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        raise Invalid(field=field) from None
    if parsed.isoformat() != value:
        raise Invalid(field=field)
    return parsed


def locale_to_proto(locale: Locale) -> "common_pb2.Locale.ValueType":
    """Return the wire's value of `locale`."""
    return _LOCALES[locale]


def locale_from_proto(value: int) -> Locale:
    """Return the locale of the wire's value, or the default locale if it is missing."""
    return _LOCALES_BACK.get(value, DEFAULT_LOCALE)


def enum_values(enum: Any, prefix: str) -> dict[str, Any]:
    """Return the values of a protobuf enum by their names without `prefix`."""
    return {name.removeprefix(prefix): value for name, value in enum.items()}


def text_to_proto(text: Text) -> common_pb2.LocalizedText:
    """Return `text` in every language."""
    return common_pb2.LocalizedText(en=text.en, fr=text.fr)


def text_from_proto(text: common_pb2.LocalizedText) -> Text:
    """Return the message as a Text."""
    return Text(en=text.en, fr=text.fr)


def page_of(page: common_pb2.PageRequest) -> tuple[int, str]:
    """Return (first, after) of a page request. A missing `first` (0) means 20. Raises Invalid unless it is 1 to 100."""
    first = page.first or DEFAULT_PAGE
    if not 1 <= first <= MAX_PAGE:
        raise Invalid(field="first")
    return first, page.after


def page_info(*, cursors: list[str], has_next: bool, has_previous: bool) -> common_pb2.PageInfo:
    """Return the PageInfo of a page whose rows have `cursors`."""
    return common_pb2.PageInfo(
        has_next_page=has_next,
        has_previous_page=has_previous,
        start_cursor=cursors[0] if cursors else "",
        end_cursor=cursors[-1] if cursors else "",
    )
