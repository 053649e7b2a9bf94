"""Each golden sample is still read completely, and no released sample was edited or removed."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from launcher.contract_gate.baseline import COMMITTED, Baseline, digest
from launcher.contract_gate.lines import json_line, line_of
from launcher.event_catalogue.entries import GOLDEN
from launcher.platform import ROOT
from shared.cloudevents import BadEvent, decode, to_json

_MISSING: Final = object()
Path_ = tuple[str | int, ...]


def broken_samples(baseline: Baseline, *, golden: Path = GOLDEN) -> Iterator[str]:
    """Yield a complaint for each sample that changed since its release, and for each field that is not read."""
    for name, promised in baseline.samples.items():
        path = golden / name
        if not path.exists():
            yield f"{line_of(COMMITTED.events, name)}: the released sample {name} is missing."
        elif digest(path) != promised:
            yield f"{_shown(path)}:1: the released sample was edited. Restore it, and write a new one beside it."
    for path in sorted(golden.glob("*/*.json")):
        yield from _unread(path)


def _unread(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    sample = json.loads(text)
    headers = [(name, value.encode()) for name, value in sample["headers"].items()]
    try:
        envelope = decode(key=sample["key"].encode(), value=json.dumps(sample["value"]).encode(), headers=headers)
        read = json.loads(to_json(envelope.message()))
    except BadEvent as bad:
        yield f"{_shown(path)}:1: the sample can no longer be read: {bad}."
        return
    for field in differences(sample["value"], read):
        line = json_line(text, ("value", *field))
        yield f"{_shown(path)}:{line}: {'.'.join(map(str, field))} is no longer read as it was written."


def differences(written: Any, read: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Yield the path of each value in `written` that `read` lacks or has differently."""
    if isinstance(written, dict) and isinstance(read, dict):
        for name, value in written.items():
            yield from differences(value, read.get(name, _MISSING), (*at, name))
    elif isinstance(written, list) and isinstance(read, list):
        for number, (value, other) in enumerate(zip_longest(written, read, fillvalue=_MISSING)):
            if number < len(written):
                yield from differences(value, other, (*at, number))
    elif written != read:
        yield at


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else f"{path.parent.name}/{path.name}"
