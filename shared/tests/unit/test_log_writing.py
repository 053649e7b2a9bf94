"""Log entries are written by a thread: soon, in order, all of them at a normal end, and nobody waits for the reader."""

import io
import json
import logging
import os
import subprocess
import sys
import threading

from shared.telemetry import writing
from shared.telemetry.writing import WritingHandler
from shared.testing import eventually

SAY = """
import logging, logging.config, os, signal, sys, threading
from shared.telemetry import logging_config
import structlog
config = logging_config("users", json_lines=True)
logging.config.dictConfig(config)
log = structlog.get_logger("x")
"""


def entry(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("x", level, __file__, 1, text, (), None)


def run(code: str, *, ends_with: int = 0) -> list[str]:
    """Run a process that logs, and return the events that it wrote."""
    done = subprocess.run([sys.executable, "-c", SAY + code], capture_output=True, text=True, timeout=60)
    assert done.returncode == ends_with, done.stderr
    return [json.loads(line)["event"] for line in done.stderr.splitlines() if line.startswith("{")]


def test_a_process_that_ends_has_written_every_entry_in_order():
    """Seen failing (no entry) without WritingHandler.flush. A process that SIGTERM ends by SystemExit is the same."""
    everything = [str(number) for number in range(3_000)]

    assert run("for i in range(3000): log.info(str(i))") == everything
    stopped = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
    stopped += "for i in range(3000): log.info(str(i))\nos.kill(os.getpid(), signal.SIGTERM)"
    assert run(stopped, ends_with=3) == everything
    assert run("log.info('before')\nraise ValueError", ends_with=1) == ["before"]


def test_a_forked_process_writes_its_own_entries_and_not_its_parents():
    """Seen failing (`parent` twice) without the call at fork."""
    code = """
log.info("parent")
child = os.fork()
if child:
    os.waitpid(child, 0)
else:
    log.warning("child")
    logging.shutdown()
    os._exit(0)
"""
    assert sorted(run(code)) == ["child", "parent"]


def test_an_entry_is_written_within_a_second_and_a_warning_at_once(monkeypatch):
    """With a collecting time of an hour, a warning is written, and with it what was said before."""
    stream = io.StringIO()
    handler = WritingHandler(stream)
    handler.handle(entry("one"))
    eventually(lambda: stream.getvalue() == "one\n")
    assert writing.COLLECT_SECONDS <= 1

    monkeypatch.setattr(writing, "COLLECT_SECONDS", 3_600)
    patient = WritingHandler(stream := io.StringIO())
    patient.handle(entry("two"))
    patient.handle(entry("three", logging.WARNING))
    eventually(lambda: stream.getvalue() == "two\nthree\n")


def test_nobody_waits_for_a_reader_that_stopped(monkeypatch):
    """Seen failing (the thread that logs waits) with logging.StreamHandler. What exceeds the limit is counted."""
    monkeypatch.setattr(writing, "MOST_WAITING", 5_000)
    reading, writing_end = os.pipe()
    with open(writing_end, "w") as stream, open(reading) as read:  # `read` closes first, which ends a thread that waits
        handler = WritingHandler(stream)
        logging_thread = threading.Thread(
            target=lambda: [handler.handle(entry(f"{number} {'x' * 100}")) for number in range(20_000)], daemon=True
        )
        logging_thread.start()
        logging_thread.join(30)
        assert not logging_thread.is_alive()

        numbers = [int(read.readline().split()[0]) for _ in range(5_000)]
        handler.handle(entry("-1 last", logging.WARNING))
        lines = []
        while not lines or not lines[-1].startswith("-1"):
            lines.append(read.readline())
        dropped = [line for line in lines if "were dropped" in line] or [read.readline()]

    assert numbers == list(range(5_000))
    written = numbers + [int(line.split()[0]) for line in lines if "dropped" not in line]
    assert int(dropped[0].split()[0]) + len(written) == 20_001


def test_an_entry_that_cannot_be_formatted_stops_nothing(capsys):
    stream = io.StringIO()
    handler = WritingHandler(stream)
    handler.handle(logging.LogRecord("x", logging.INFO, __file__, 1, "%d", ("no number",), None))
    handler.handle(entry("next"))
    handler.flush()

    assert stream.getvalue() == "next\n"
