"""The proofs use the neighbours, the sandbox and the buyers of bookings_service's own tests."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

pytest_plugins = ["bookings_service.tests.conftest"]


@pytest.fixture
def charges(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, int]]:
    """Return what the sandbox has charged, by payment key, in minor units: its own books, not ours."""
    store = tmp_path_factory.getbasetemp() / "sandbox0" / "sandbox.sqlite3"

    def charged() -> dict[str, int]:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as books:
            return dict(books.execute("SELECT key, amount_minor FROM payment WHERE status = 'SUCCEEDED'").fetchall())

    return charged
