"""Finds the line that a complaint names."""

import json
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from launcher.platform import ROOT


def line_of(path: Path, name: str, *, root: Path = ROOT) -> str:
    """Return `file:line` of the first line of `path` that has `name` in quotes, or only the file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    number = next((number for number, line in enumerate(lines, 1) if f'"{name}"' in line), None)
    file = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
    return f"{file}:{number}" if number else file


def first_difference(path: Path, wanted: str, *, root: Path = ROOT) -> str:
    """Return which line of `path` differs from `wanted`, or an empty text."""
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    if present == wanted:
        return ""
    lines = zip_longest(present.split("\n"), wanted.split("\n"))
    number, (old, new) = next((number, pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1])
    return f"{path.relative_to(root)}:{number}: is {old!r} and should be {new!r}."


def json_line(text: str, path: Sequence[str | int]) -> int:
    """Return the line at which the value at `path` begins in `text`, which is JSON with an indent of two spaces."""
    lines = text.splitlines()
    at = 0
    for depth, step in enumerate(path, 1):
        indent = "  " * depth
        begins = [
            number
            for number, line in enumerate(lines[at + 1 :], at + 1)
            if line.startswith(indent) and line[len(indent)] not in " ]}"
        ]
        if isinstance(step, int):
            at = begins[step]
        else:
            at = next(number for number in begins if lines[number].startswith(f"{indent}{json.dumps(step)}:"))
    return at + 1
