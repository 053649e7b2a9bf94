"""The results in pytest's JUnit file: how many tests passed and failed, and how long each took."""

import heapq
import xml.etree.ElementTree as ElementTree  # the file was written by our own pytest a moment ago
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Timing:
    """How many seconds one test took, with the fixtures that it was the first to need."""

    seconds: float
    suite: str
    test: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one suite. A skipped test counts as failed, because it proved nothing."""

    suite: str
    passed: int
    failed: int
    timings: tuple[Timing, ...] = ()

    def with_one_failure_more(self) -> Self:
        """Return this outcome with one failure that no test had."""
        return replace(self, failed=self.failed + 1)


def read_report(path: Path, *, suite: str) -> Outcome:
    """Return the outcome that a JUnit file holds, with skips and errors among the failures; nothing run if it is
    missing.
    """
    try:
        report = ElementTree.parse(path).getroot()  # noqa: S314
    except (OSError, ElementTree.ParseError):
        return Outcome(suite, 0, 0)
    suites = list(report.iter("testsuite"))
    failed = sum(int(counts.get(kind, 0)) for counts in suites for kind in ("failures", "errors", "skipped"))
    run = sum(int(counts.get("tests", 0)) for counts in suites)
    timings = tuple(
        Timing(float(case.get("time", 0)), suite, f"{case.get('classname')}.{case.get('name')}")
        for case in report.iter("testcase")
    )
    return Outcome(suite, max(0, run - failed), failed, timings)


def slowest(outcomes: Iterable[Outcome], count: int) -> list[Timing]:
    """Return the `count` slowest tests of all suites, the slowest first."""
    return heapq.nlargest(
        count, (timing for outcome in outcomes for timing in outcome.timings), key=lambda timing: timing.seconds
    )
