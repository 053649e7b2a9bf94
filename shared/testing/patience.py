"""Waits for the effects of other processes: until a condition is true, or while it must stay true."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(predicate: Callable[[], T], timeout: float = 10.0, every: float = 0.05) -> T:
    """Call `predicate` every `every` seconds until its value is truthy, and return that value.

    An AssertionError in it counts as not yet. Raises AssertionError after `timeout` seconds, with the last answer.
    """
    end = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        answer: T | None = None
        try:
            answer = predicate()
        except AssertionError as e:
            failure = e
        if answer:
            return answer
        if time.monotonic() >= end:
            raise AssertionError(f"not within {timeout:g} s; last answer: {failure or repr(answer)}") from failure
        time.sleep(every)


def always(predicate: Callable[[], object], *, seconds: float, every: float = 0.05) -> None:
    """Call `predicate` every `every` seconds for `seconds`. Raises AssertionError as soon as its value is falsy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = predicate()
        assert answer, f"not for {seconds:g} s; last answer: {answer!r}"
        time.sleep(every)
