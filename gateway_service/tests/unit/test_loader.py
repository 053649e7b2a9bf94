"""A loader reads the keys of one turn together, and gives each caller its rows or its error."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway_service.gateway.operation import batching
from gateway_service.gateway.operation.batching import Loader
from shared.errors import NotFound, Unavailable


class Source:
    """Rows to read: each key in upper case. Keeps the batches that were read."""

    def __init__(self, *, fails: Exception | None = None) -> None:
        self.batches: list[list[str]] = []
        self.fails = fails
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def read(self, keys: list[str]) -> Sequence[Any]:
        self.batches.append(keys)
        await self.may_answer.wait()
        if self.fails:
            raise self.fails
        return [NotFound() if key == "missing" else key.upper() for key in keys]


async def test_keys_of_one_turn_are_read_together_and_once() -> None:
    """Seen failing (two batches) when a batch starts one turn earlier."""
    source = Source()
    loader = Loader(source.read)

    many = loader.get(["c", "a"])
    one, two = await asyncio.gather(loader.load("a"), loader.load("b"))

    assert (one, two, await many) == ("A", "B", ["C", "A"])  # type: ignore[misc]
    assert source.batches == [["c", "a", "b"]]


async def test_known_rows_need_no_wait() -> None:
    source = Source()
    loader = Loader(source.read, recall={"cached": "row"}.get)
    loader.prime("primed", "seats")
    await loader.load("a")

    assert loader.get(["a", "cached", "primed"]) == ["A", "row", "seats"]
    assert await loader.load("cached") == "row"
    assert source.batches == [["a"]]


async def test_one_unknown_row_makes_the_others_wait_for_it() -> None:
    source = Source()
    loader = Loader(source.read, recall={"cached": "row"}.get)

    rows = loader.get(["cached", "a"])

    assert not isinstance(rows, list)
    assert await rows == ["row", "A"]


async def test_an_error_takes_the_place_of_its_row_only() -> None:
    """Seen failing (no NotFound) when an error is treated as a row."""
    loader = Loader(Source().read)

    found, missing = await loader.get(["a", "missing"])  # type: ignore[misc]

    assert found == "A"
    assert isinstance(missing, NotFound)
    with pytest.raises(NotFound):
        await loader.load("missing")


async def test_a_failed_key_is_not_asked_for_again() -> None:
    """So an operation never waits twice for a service that does not answer. Seen failing (asked twice) when errors are not kept."""
    source = Source(fails=Unavailable())
    loader = Loader(source.read, recall={"cached": "row"}.get)

    row, error = await loader.get(["cached", "a"])  # type: ignore[misc]

    assert row == "row"
    assert isinstance(error, Unavailable)
    with pytest.raises(Unavailable):
        await loader.load("a")
    assert source.batches == [["a"]]


async def test_large_batches_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MAX_BATCH", 2)
    source = Source()
    loader = Loader(source.read)

    assert await loader.get(list("abcde")) == list("ABCDE")  # type: ignore[misc]
    assert source.batches == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_cancelled_caller_leaves_the_others_their_rows() -> None:
    source = Source()
    source.may_answer.clear()
    loader = Loader(source.read)
    impatient, patient = [asyncio.ensure_future(loader.load("a")) for _ in range(2)]
    while not source.batches:  # noqa: ASYNC110 - a turn of the loop is enough
        await asyncio.sleep(0)

    impatient.cancel()
    await asyncio.sleep(0)
    source.may_answer.set()

    assert await patient == "A"
    assert impatient.cancelled()
