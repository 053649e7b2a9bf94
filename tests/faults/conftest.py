"""One world for all deaths: what each leaves behind must not trouble the next."""

from collections.abc import Iterator

import pytest

from tests.faults.world import IS_WHOLE, World, brought_up

collect_ignore = [] if IS_WHOLE else ["test_any_moment.py"]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """bookings_service, its clock and relay, and the provider, each its own process."""
    with brought_up(tmp_path_factory.mktemp("faults")) as up:
        yield up
