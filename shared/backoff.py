"""Waits between attempts: longer each time, up to a limit, and never the same for two processes."""

import random
from collections.abc import Sequence


def pause_before(attempt: int, steps: Sequence[float]) -> float:
    """Return the seconds to wait before `attempt` (2, 3, …): its step or the last one, shortened at random by half.

    The randomness spreads the attempts of many processes that failed at the same moment.
    """
    step = steps[min(max(attempt - 2, 0), len(steps) - 1)]
    return step * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
