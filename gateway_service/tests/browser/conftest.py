"""One Chromium for the run, and a tab for each test."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway_service.tests.browser import chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running Chromium. Without one, the run ends with a failure: these tests are never skipped."""
    try:
        with chromium.running(tmp_path_factory.mktemp("chromium")) as address:
            yield address
    except chromium.NoChromium as missing:
        pytest.exit(str(missing), returncode=1)


@pytest.fixture
async def tab(browser: str) -> AsyncIterator[chromium.Tab]:
    async with chromium.tab_of(browser) as tab:
        yield tab


@pytest.fixture(scope="session")
def pictures() -> Path:
    """The folder of the pictures, for a person to look at."""
    folder = Path(os.environ["TRAVEL_VAR"]) / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
