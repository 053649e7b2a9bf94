"""A permutation test: could the times of several groups be draws of one and the same distribution?"""

import random
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

PERMUTATIONS: Final = 4_000
_KEPT: Final = 0.9  # a longer time than 90 % of all is cut to that, because the machine's pauses say nothing


def p_value(groups: Mapping[str, Sequence[float]], *, seed: int = 7) -> float:
    """Return how often chance alone makes the groups differ as much as they do.

    Times of the same index were measured one after another, and only these are exchanged: so a machine that is slow for
    a while slows every group. The difference is the largest one between the means of two groups, after outliers were
    cut. Nothing is assumed about the distribution of the times.
    """
    ceiling = sorted(chain.from_iterable(groups.values()))[int(sum(map(len, groups.values())) * _KEPT)]
    rounds = [[min(time, ceiling) for time in times] for times in zip(*groups.values(), strict=True)]
    observed = _largest_difference(rounds)
    draw = random.Random(seed)
    as_far = 0
    for _ in range(PERMUTATIONS):
        for times in rounds:
            draw.shuffle(times)
        as_far += _largest_difference(rounds) >= observed
    return (as_far + 1) / (PERMUTATIONS + 1)


def _largest_difference(rounds: Sequence[Sequence[float]]) -> float:
    sums = [sum(times) for times in zip(*rounds, strict=True)]
    return (max(sums) - min(sums)) / len(rounds)
