"""Writes log entries in a thread, so that no request waits for the disk or for a slow reader of the log.

The thread collects entries for COLLECT_SECONDS, and writes a warning or an error at once. A process that ends normally
writes all that is left. One that is killed loses what it collected.
"""

import logging
import os
import threading
import weakref
from collections import deque
from typing import Final, TextIO

COLLECT_SECONDS: Final = 0.2
MOST_WAITING: Final = 20_000  # entries; with an entry of 500 bytes, 10 MB

_handlers: "Final[weakref.WeakSet[WritingHandler]]" = weakref.WeakSet()


class WritingHandler(logging.Handler):
    """Puts each entry into a queue, which a thread writes to `stream`.

    Drops an entry if MOST_WAITING wait, because nobody reads the log. Then says how many it dropped.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream
        _handlers.add(self)
        self.begin()

    def begin(self) -> None:
        """Begin with an empty queue and without a thread."""
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self._writing = threading.Lock()
        self._some = threading.Event()
        self._urgent = threading.Event()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Put an entry into the queue."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as the standard library's handlers
            self.handleError(record)
            return
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(line)
        if record.levelno >= logging.WARNING:
            self._urgent.set()
        if not self._some.is_set():
            self._some.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write all that waits. At the normal end of a process, `logging` calls this."""
        with self._writing:
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if self._dropped:
                lines.append(f"{self._dropped} log entries were dropped, because this log is written too slowly")
                self._dropped = 0
            if lines:
                self.stream.write("\n".join((*lines, "")))
                self.stream.flush()

    def _run(self) -> None:
        while True:
            self._some.wait()
            self._urgent.wait(COLLECT_SECONDS)
            self._some.clear()
            self._urgent.clear()
            try:
                self.flush()
            except (OSError, ValueError):  # nobody reads the log any more, or the stream is closed
                continue


def _begin_again() -> None:
    """In a forked process: its parent writes what waits, and its parent has the thread."""
    for handler in tuple(_handlers):
        handler.begin()


os.register_at_fork(after_in_child=_begin_again)
