"""Show which parts of a name match the words of a search."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from destinations_service.catalogue.contracts import HighlightView, Piece
from destinations_service.catalogue.folding import fold
from destinations_service.catalogue.selectors.matching import Words

_WORD: Final = re.compile(r"[^\W_]+(?:[\u0300-\u036f\u200c\u200d][^\W_]*)*")


def highlighted(words: Words, *, field: str, name: str, other_names: Iterable[str]) -> tuple[HighlightView, ...]:
    """Return the pieces of `name`. If no piece matches, add the first of `other_names` that has a match."""
    shown = HighlightView(field, tuple(_pieces(words, name)))
    if any(piece.matched for piece in shown.pieces):
        return (shown,)
    for other in other_names:
        pieces = tuple(_pieces(words, other))
        if any(piece.matched for piece in pieces):
            return shown, HighlightView("alternateName", pieces)
    return (shown,)


def best_name(words: Words, names: Iterable[str], *, shown: str) -> str:
    """Return the shown name or the first name that matches, if possible without a typing error."""
    as_typed = replace(words, corrections=((),) * len(words.typed))
    matching = (
        name
        for wanted in (as_typed, words)
        for name in (shown, *names)
        if any(piece.matched for piece in _pieces(wanted, name))
    )
    return next(matching, shown)


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
