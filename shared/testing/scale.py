"""The size of the proofs: reduced in every test run, whole with PROOFS=whole (`./manage_all.py test --proofs`)."""

import os
import sys
from typing import TypeVar

import pytest

WHOLE = os.environ.get("PROOFS") == "whole"
Size = TypeVar("Size")


def scaled(*, reduced: Size, whole: Size) -> Size:
    """Return the size for this run."""
    return whole if WHOLE else reduced


def show(capsys: pytest.CaptureFixture[str], figures: str) -> None:
    """Print the figures of a proof, although the test passes."""
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")
