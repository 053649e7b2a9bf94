"""Let an answer take the same time, whoever has the address."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ANSWER_SECONDS: Final = 0.05  # several times as long as the work


@contextmanager
def even_time() -> Iterator[None]:
    """Wait after the body until ANSWER_SECONDS have passed since its start. A refusal of the body is not delayed.

    The same statements are not enough: a row that is found costs 0.3 ms more than none, for its object and its foreign
    key, and 400 answers are enough to see that. Decorate the whole function, so that its
    transaction ends before the wait.
    """
    started = time.monotonic()
    yield
    time.sleep(max(0.0, ANSWER_SECONDS - (time.monotonic() - started)))
