"""One set of processes for all deaths: what a death leaves behind must not disturb the next test."""

from collections.abc import Iterator

import pytest

from tests.faults.world import IS_WHOLE, World, running_world

collect_ignore = [] if IS_WHOLE else ["test_any_moment.py"]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run bookings_service, its clock and relay, and the provider, each as a process of its own."""
    with running_world(tmp_path_factory.mktemp("faults")) as running:
        yield running
