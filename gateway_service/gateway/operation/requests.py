"""Make parts of requests to services, and put the rows of their answers in order."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from contracts.travel.common.v1 import common_pb2

Row = TypeVar("Row")


def page_request(first: int, after: str) -> common_pb2.PageRequest:
    """Return the request for `first` rows after a service's cursor. An empty cursor means the beginning."""
    return common_pb2.PageRequest(first=first, after=after)


def date_range(since: str, until: str) -> common_pb2.DateRange | None:
    """Return the range of the ISO dates `since` to `until`, including these dates. Return None if no date is given."""
    return common_pb2.DateRange(**{"from": since, "until": until}) if since or until else None


def rows_in_order(keys: Sequence[str], rows: Iterable[Row], key_of: Callable[[Row], str]) -> list[Row | None]:
    """Return the row of each key, in the order of `keys`; None for a key without a row."""
    by_key = {key_of(row): row for row in rows}
    return [by_key.get(key) for key in keys]
