"""Cursors of shared.pages: whatever was not given out is refused, before it reaches the database."""

import base64
import json
from uuid import UUID

import pytest

from shared.errors import Invalid
from shared.pages import ID, Key, decode, encode, instant, number, whole

ROW = UUID("019f0000-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (number, "1e999999"),
        (number, "Infinity"),
        (whole, "9" * 400),
        (whole, "2147483648"),
        (instant, "2026-11-30T10:00:00"),
        (str, "a\0b"),
        (str, "\ud800"),
        (str, ["a"]),
        (number, 7.5),
    ],
)
def test_a_part_that_no_column_contains_is_refused(parse, text):
    """Seen failing (passed on to the database) without _stored and without the limits of whole and number."""
    keys = (Key("first", parse), ID)

    with pytest.raises(Invalid) as refused:
        decode(_raw("kind", text, str(ROW)), keys=keys, kind="kind")

    assert refused.value.field == "after"


@pytest.mark.parametrize(
    ("parse", "value"), [(number, "12.50"), (whole, "-7"), (instant, "2026-11-30T10:00:00+00:00"), (str, "Été")]
)
def test_a_cursor_that_was_given_out_is_read(parse, value):
    first = parse(value)

    assert decode(encode([first, ROW], kind="kind"), keys=(Key("first", parse), ID), kind="kind") == [first, ROW]


def _raw(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
