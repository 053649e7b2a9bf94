"""The size of the proofs: reduced in every test run, whole with PROOFS=whole (`./manage_all.py test --proofs`)."""

import os
import sys

import pytest

WHOLE = os.environ.get("PROOFS") == "whole"


def scaled(*, reduced: int, whole: int) -> int:
    """Return the number for this run."""
    return whole if WHOLE else reduced


def show(capsys: pytest.CaptureFixture[str], figures: str) -> None:
    """Print the figures of a proof, although the test passes."""
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")
