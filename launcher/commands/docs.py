"""`docs`: make the generated documents: the catalogue in docs/events.md, and docs/asyncapi.yaml."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from launcher.contract_gate.lines import first_difference
from launcher.event_catalogue import asyncapi, page
from launcher.event_catalogue.entries import read_catalogue
from launcher.platform import ROOT

PAGE: Final = ROOT / "docs" / "events.md"
ASYNCAPI: Final = ROOT / "docs" / "asyncapi.yaml"


def docs() -> int:
    """Write the generated documents. Raises Refusal."""
    for path, text in generate().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)} is generated.")
    return 0


def generate() -> Mapping[Path, str]:
    """Return the text of each generated document. Raises Refusal."""
    catalogue = read_catalogue()
    written = PAGE.read_text(encoding="utf-8")
    return {PAGE: page.render(written, catalogue), ASYNCAPI: asyncapi.render(catalogue)}


def check() -> int:
    """Print the first line of each document that `docs` would change, and return 1 if there is one. Raises Refusal."""
    complaints = [complaint for path, text in generate().items() if (complaint := first_difference(path, text))]
    for complaint in complaints:
        print(f"{complaint} Type: ./manage_all.py docs")
    return 1 if complaints else 0
