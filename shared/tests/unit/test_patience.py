"""The waits of tests: until a condition is true, and while it must stay true."""

import threading

import pytest

from shared.testing import always, eventually
from shared.testing.threads import in_thread


def test_always_fails_as_soon_as_the_condition_does() -> None:
    """Seen failing (no error) without the assertion."""
    answers = iter([True, True, False])

    with pytest.raises(AssertionError, match="not for 5 s"):
        always(lambda: next(answers), seconds=5, every=0.01)


def test_the_error_that_ends_a_thread_is_seen() -> None:
    """Seen failing (an empty list) without the handler in `run`."""

    def fail() -> None:
        raise LookupError

    with in_thread(fail, stop=threading.Event().set) as errors:
        eventually(lambda: errors)

    assert [type(error) for error in errors] == [LookupError]
