"""The size of the proofs: reduced in every test run, whole with PROOFS=whole (`./manage_all.py test --proofs`)."""

import os
from typing import TypeVar

IS_WHOLE = os.environ.get("PROOFS") == "whole"
Size = TypeVar("Size")


def scaled(*, reduced: Size, whole: Size) -> Size:
    """Return the size for this run."""
    return whole if IS_WHOLE else reduced
