"""Show which parts of a name match the words of a search."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from destinations_service.catalogue.contracts import HighlightView, Piece
from destinations_service.catalogue.folding import fold
from destinations_service.catalogue.selectors.matching import Words

_WORD: Final = re.compile(r"[^\W_]+(?:[\u0300-\u036f\u200c\u200d][^\W_]*)*")


# How well a name fits a text. Lower is better.
WHOLE, BEGINS, ALL_AS_TYPED, SOME_AS_TYPED, WITH_ERRORS, NOT_AT_ALL = range(6)


def highlighted(words: Words, *, field: str, name: str, other_names: Iterable[str]) -> tuple[HighlightView, ...]:
    """Return the pieces of `name`. If another name fits and `name` does not, add the one that fits best."""
    shown = HighlightView(field, tuple(_pieces(words, name)))
    best = best_name(words, other_names, shown=name)
    if best == name:
        return (shown,)
    return shown, HighlightView("alternateName", tuple(_pieces(words, best)))


def best_name(words: Words, names: Iterable[str], *, shown: str) -> str:
    """Return the name that fits best. The shown name is preferred unless it matches only with typing errors."""
    return shown if fit(words, shown) <= SOME_AS_TYPED else min((shown, *names), key=lambda name: fit(words, name))


def fit(words: Words, name: str) -> int:
    """Return how well a name fits: the whole text, its beginning, its words as typed, or with typing errors."""
    folded = fold(name)
    if folded == words.text:
        return WHOLE
    if words.text and folded.startswith(words.text):
        return BEGINS
    parts = folded.split()
    as_typed = sum(any(part.startswith(typed) for part in parts) for typed in words.typed)
    if as_typed:
        return ALL_AS_TYPED if as_typed == len(words.typed) else SOME_AS_TYPED
    has_error = any(part in dict(corrections) for corrections in words.corrections for part in parts)
    return WITH_ERRORS if has_error else NOT_AT_ALL


def _pieces(words: Words, name: str) -> Iterator[Piece]:
    at = 0
    for match in _WORD.finditer(name):
        length = _matched_length(words, match.group())
        if length:
            if match.start() > at:
                yield Piece(name[at : match.start()], matched=False)
            at = match.start() + length
            yield Piece(name[match.start() : at], matched=True)
    if at < len(name) or not name:
        yield Piece(name[at:], matched=False)


def _matched_length(words: Words, word: str) -> int:
    """Return how many characters of the word match: all of it, its beginning, or 0."""
    folded = fold(word)
    for typed, corrections in zip(words.typed, words.corrections, strict=True):
        if folded == typed or folded in dict(corrections):
            return len(word)
    beginnings = [typed for typed in words.typed if folded.startswith(typed)]
    if not beginnings:
        return 0
    wanted = max(beginnings, key=len)
    return next(length for length in range(1, len(word) + 1) if fold(word[:length]).startswith(wanted))
