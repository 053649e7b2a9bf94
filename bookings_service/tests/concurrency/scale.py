"""How large a proof is: reduced in every test run, whole where PROOFS=whole (`./manage_all.py test --proofs`)."""

import os

WHOLE = os.environ.get("PROOFS") == "whole"


def scaled(*, reduced: int, whole: int) -> int:
    """Return how many there are in this run."""
    return whole if WHOLE else reduced
