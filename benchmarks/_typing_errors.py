"""Names of the catalogue with one typing error each, as people make them: swapped, missing, doubled or wrong letters."""

import random
from collections.abc import Sequence
from typing import Final

from destinations_service.catalogue.folding import fold

SHORTEST: Final = 5  # letters of a word that may have an error
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def mistyped(name: str, chance: random.Random) -> str | None:
    """Return the name with one error in a word of SHORTEST letters or more, or None if it has no such word."""
    words = fold(name).split()
    long = [index for index, word in enumerate(words) if len(word) >= SHORTEST and word.isascii() and word.isalpha()]
    if not long:
        return None
    index = chance.choice(long)
    wrong = words[index]
    while wrong == words[index]:
        wrong = _with_error(words[index], chance)
    return " ".join([*words[:index], wrong, *words[index + 1 :]])


def _with_error(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    match chance.choice(("swap", "drop", "double", "replace")):
        case "swap" if at + 1 < len(word):
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case "drop" if len(word) > SHORTEST:  # what is left must still be long enough to have an error
            return word[:at] + word[at + 1 :]
        case "double":
            return word[:at] + word[at] + word[at:]
        case _:
            return word[:at] + chance.choice(_LETTERS) + word[at + 1 :]


def sample(names: Sequence[tuple[str, str]], count: int, seed: int) -> list[tuple[str, str]]:
    """Return `count` pairs (id, name with an error) of different places, always the same for a seed."""
    chance = random.Random(seed)
    pairs: list[tuple[str, str]] = []
    for place, name in chance.sample(list(names), len(names)):
        if wrong := mistyped(name, chance):
            pairs.append((place, wrong))
        if len(pairs) == count:
            break
    return pairs
