"""Values cross the wire unchanged, and malformed values are refused with the name of their field."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.travel.common.v1 import common_pb2
from shared.errors import Invalid
from shared.money import Money
from shared.rpc import mapping
from shared.text import Locale, Text


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_money_survives_the_wire(minor: int, currency: str) -> None:
    money = Money.from_minor(minor, currency)

    assert mapping.money_from_proto(mapping.money_to_proto(money)) == money


def test_instants_survive_the_wire_in_utc() -> None:
    instant = datetime(2026, 11, 23, 10, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    stamp = mapping.ts(instant)

    assert stamp is not None
    assert mapping.from_ts(stamp) == instant
    assert mapping.from_ts(stamp).tzinfo is UTC
    assert mapping.ts(None) is None
    assert mapping.from_ts(type(stamp)()) is None
    with pytest.raises(ValueError, match="zone"):
        mapping.ts(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "value", ["", "x", "0" * 32, "{01890a5d-ac96-774b-bcce-b302099a8057}", "' OR 1=1", "\x00" * 36]
)
def test_a_malformed_uuid_is_refused(value: str) -> None:
    with pytest.raises(Invalid) as raised:
        mapping.uuid_of(value, "booking_id")

    assert raised.value.field == "booking_id"


def test_ids_dates_and_languages() -> None:
    known = "01890a5d-ac96-774b-bcce-b302099a8057"

    assert mapping.uuids_of([known], "ids") == [UUID(known)]
    assert mapping.date_of("2026-02-28", "born") == date(2026, 2, 28)
    assert mapping.date_of("", "born") is None
    for wrong in ("2026-02-30", "20260228", "2026-W09-6", "tomorrow"):
        with pytest.raises(Invalid):
            mapping.date_of(wrong, "born")
    assert mapping.locale_from_proto(mapping.locale_to_proto(Locale.FR)) is Locale.FR
    assert mapping.locale_from_proto(0) is Locale.EN
    assert mapping.text_from_proto(mapping.text_to_proto(Text(en="a", fr="b"))) == Text(en="a", fr="b")


def test_pages_have_one_to_a_hundred_rows() -> None:
    assert mapping.page_of(common_pb2.PageRequest()) == (20, "")
    assert mapping.page_of(common_pb2.PageRequest(first=100, after="x")) == (100, "x")
    for first in (-1, 101):
        with pytest.raises(Invalid):
            mapping.page_of(common_pb2.PageRequest(first=first))
    info = mapping.page_info(cursors=["a", "b"], has_next=True, has_previous=False)
    assert (info.start_cursor, info.end_cursor, info.has_next_page) == ("a", "b", True)
