"""Attacks on a running platform: they use its public interfaces, and the credentials of every service."""

from pathlib import Path

import pytest

from tests.journeys.conftest import stranger, traveller, visitor

__all__ = ["stranger", "traveller", "visitor"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every attack: it needs the whole platform."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.platform)
