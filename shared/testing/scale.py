"""The size of the proofs: reduced in every test run, whole with PROOFS=whole (`./manage_all.py test --proofs`)."""

import os

WHOLE = os.environ.get("PROOFS") == "whole"


def scaled(*, reduced: int, whole: int) -> int:
    """Return the number for this run."""
    return whole if WHOLE else reduced
