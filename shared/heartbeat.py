"""The heartbeat file of a process without a port: `RUN_DIR/<name>.heartbeat`, rewritten while its loop runs.

Live means that the file is younger than 30 s; ready that its first word is `ready`. `manage_all.py` reads the file
itself, and `deploy/healthy.py` asks `is_ready` in a container.
Without RUN_DIR nothing is written.
"""

import os
import time
from pathlib import Path
from typing import Final

LIVE_SECONDS: Final = 30.0


class Heartbeat:
    """Writes the file of the process `name`: at once when its readiness changes, else at most once a second."""

    def __init__(self, name: str) -> None:
        self._path = path_of(name)
        self._ready = False
        self._due = 0.0

    def beat(self, *, ready: bool | None = None) -> None:
        """Note that the loop runs. Without `ready`, the readiness stays as it was."""
        changed = ready is not None and ready != self._ready
        if changed:
            self._ready = bool(ready)
        now = time.monotonic()
        if self._path is None or (now < self._due and not changed):
            return
        self._due = now + 1.0
        state = "ready" if self._ready else "waiting"
        new = self._path.with_suffix(".new")
        try:
            new.write_text(f"{state} {os.getpid()} {int(time.time())}\n")
            new.replace(self._path)
        except OSError:  # a full disk must not stop the work; the old file shows it
            self._due = now + 5.0

    def remove(self) -> None:
        """Delete the file: a stopped process is neither live nor ready."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def path_of(name: str) -> Path | None:
    """Return the heartbeat file of the process `name`, or None without RUN_DIR."""
    folder = os.environ.get("RUN_DIR")
    return Path(folder) / f"{name}.heartbeat" if folder else None


def is_ready(name: str) -> bool:
    """Return whether the process `name` is live and ready."""
    path = path_of(name)
    try:
        if path is None or time.time() - path.stat().st_mtime > LIVE_SECONDS:
            return False
        return path.read_text().startswith("ready")
    except OSError:
        return False
