"""`logs`: print the logs of the processes, merged by time, each with its name in its colour."""

import re
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from launcher.children import last_lines
from launcher.platform import Platform
from launcher.refusal import Refusal

COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
INSTANT: Final = re.compile(r"(?:(\d{4}-\d\d-\d\d)[T ]|\b)(\d\d:\d\d:\d\d(?:[.,]\d+)?)")
ESCAPES: Final = re.compile(r"\x1b\[[0-9;]*m")


def show(platform: Platform, name: str | None, *, follow: bool, lines: int) -> None:
    """Print the last `lines` of all logs, or of the logs of `name` (a process or a service).

    Raises Refusal if there are none.
    """
    files = files_of(platform, name)
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(file.stem) for file in files)
    sizes = {file: file.stat().st_size for file in files}
    for process, line in merged(files, lines):
        console.print(_line(process, line, width))
    while follow:
        time.sleep(0.3)
        for file in files_of(platform, name):
            for line in _grown(file, sizes):
                console.print(_line(file.stem, line, width))


def files_of(platform: Platform, name: str | None) -> list[Path]:
    """Return the log files of a process, of a service, or all of them. Raises Refusal if there are none."""
    files = sorted(platform.log.glob("*.log"))
    if name is not None:
        files = [file for file in files if file.stem == name or file.stem.startswith(f"{name}.")]
    if not files:
        known = ", ".join(sorted(file.stem for file in platform.log.glob("*.log")))
        if not known:
            raise Refusal(f"There are no logs in {platform.log}: the platform has not run there.", "./manage_all.py up")
        raise Refusal(f"There is no log of {name} in {platform.log}. There are: {known}.", "./manage_all.py logs")
    return files


def merged(files: list[Path], lines: int) -> Iterator[tuple[str, str]]:
    """Return the last lines of all files as (process, line), in order of time.

    A line without a time follows its predecessor.
    """
    dated = []
    for file in files:
        instant = ""
        # For lines that hold a time without a date.
        today = datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
        for position, line in enumerate(last_lines(file, lines)):
            if match := INSTANT.search(ESCAPES.sub("", line)[:60]):
                instant = f"{match[1] or today}T{match[2].replace(',', '.')}"
            dated.append((instant, file.stem, position, line))
    for _, process, _, line in sorted(dated)[-lines:]:
        yield process, line


def _grown(file: Path, sizes: dict[Path, int]) -> list[str]:
    """Return the whole lines that were added since the last call. A file that became shorter is a new one."""
    try:
        size = file.stat().st_size
        seen = sizes.get(file, 0)
        if size < seen:
            seen = 0
        if size == seen:
            return []
        with file.open("rb") as handle:
            handle.seek(seen)
            added = handle.read(size - seen)
    except OSError:
        return []
    whole = added[: added.rfind(b"\n") + 1]
    sizes[file] = seen + len(whole)
    return whole.decode(errors="replace").splitlines()


def _line(process: str, line: str, width: int) -> Text:
    colour = COLOURS[zlib.crc32(process.encode()) % len(COLOURS)]
    return Text.assemble((f"{process:<{width}} ", colour), Text.from_ansi(line))
