"""graphql-core abandons coroutines when a field beside them fails: collect them before the next test."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def abandoned_coroutines() -> Iterator[None]:
    yield
    gc.collect()
