"""Find the places and trips that match words: exactly, by a beginning, or with typing errors.

Words are folded, so that case, accents and punctuation do not count. Every word must match: the names or tags of the
entry, or the names of a place that the entry is in. One of them must match the entry itself.
"""

# ruff: noqa: S608 — the statement is put together from constants of this module. Every value is a parameter.

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from destinations_service.catalogue.folding import fold, words_of
from shared.errors import Invalid
from shared.statement import Statement

LONGEST_TEXT: Final = 100
MOST_WORDS: Final = 10
# A word has as many typing errors as its length allows: none, one from 5 letters, two from 9.
_ONE_ERROR_FROM: Final = 5
_TWO_ERRORS_FROM: Final = 9
_MOST_CORRECTIONS: Final = 40  # words of the index that a mistyped word may stand for
_SHORTEST_BEGINNING: Final = 3  # a shorter word matches only the beginnings of names
# How well a word matches. The worst word of an entry counts first.
_EXACT, _BEGINNING, _ONE_ERROR, _TWO_ERRORS = range(4)
_COLUMNS: Final = ", ".join(
    f"e.{name}"
    for name in ("id", "kind", "kind_order", "ancestors", "country_code", "tags", "names", "folded", "popularity",
                 "population")
)  # fmt: skip
_LAST_CHARACTER: Final = "\U0010ffff"
# The function looks for words with a trigram similarity of at least 0.2: one error in five letters leaves no more.
_SIMILAR: Final = Statement(
    lambda typed, word: (typed, word),
    "SELECT t.word, candidate.word FROM unnest(%(words)s::text[], %(errors)s::int[]) AS t(word, errors)"
    " CROSS JOIN LATERAL catalogue_similar_words(t.word, length(t.word) - t.errors, length(t.word) + t.errors)"
    " AS candidate(word)",
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a search text, with the words of the index that each may stand for.

    `text` is the folded text. `corrections` has pairs of a corrected word and its number of errors, for each word.
    """

    text: str
    typed: tuple[str, ...]
    corrections: tuple[tuple[tuple[str, int], ...], ...]

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `found_sql`."""
        exact = list(self._exact())
        ranges = list(self._ranges())
        return {
            "text": self.text,
            "words": [word for word, _, _ in exact],
            "word_positions": [position for _, position, _ in exact],
            "word_classes": [class_ for _, _, class_ in exact],
            "lows": [low for low, _ in ranges],
            "highs": [low + _LAST_CHARACTER for low, _ in ranges],
            "range_positions": [position for _, position in ranges],
            "count": len(self.typed),
        }

    def _exact(self) -> Iterator[tuple[str, int, int]]:
        """Yield (word of the index, position of the typed word, class)."""
        for position, word in enumerate(self.typed):
            if len(word) > 1 or len(self.typed) > 1:
                yield word, position, _EXACT
                yield f"#{word}", position, _BEGINNING
            if len(word) < _SHORTEST_BEGINNING:
                yield f"^{word}", position, _BEGINNING
            for corrected, errors in self.corrections[position]:
                yield corrected, position, _ONE_ERROR if errors == 1 else _TWO_ERRORS
                yield f"#{corrected}", position, _TWO_ERRORS

    def _ranges(self) -> Iterator[tuple[str, int]]:
        for position, word in enumerate(self.typed):
            if len(word) >= _SHORTEST_BEGINNING:
                yield word, position
                yield f"#{word}", position


def check_text(text: str, *, field: str) -> str:
    """Return the text. Raises Invalid if it is too long or has a control character or too many words."""
    if len(text) > LONGEST_TEXT or any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise Invalid(field=field)
    if len(words_of(text)) > MOST_WORDS:
        raise Invalid(field=field)
    return text


def errors_allowed(word: str) -> int:
    """Return how many typing errors the word may have."""
    if len(word) < _ONE_ERROR_FROM:
        return 0
    return 1 if len(word) < _TWO_ERRORS_FROM else 2


def understood(text: str, *, corrected: bool = True) -> Words:
    """Return the words of `text`, with their corrections if `corrected`. One statement, if a word may have errors."""
    typed = tuple(words_of(text))
    long = [word for word in typed if errors_allowed(word)] if corrected else []
    similar: dict[str, list[str]] = {word: [] for word in long}
    if long:
        for word, candidate in _SIMILAR.all(words=long, errors=[errors_allowed(word) for word in long]):
            similar[word].append(candidate)
    return Words(
        text=fold(text),
        typed=typed,
        corrections=tuple(tuple(_corrections(word, similar.get(word, ()))) for word in typed),
    )


def _corrections(word: str, candidates: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the candidates within the errors allowed, nearest first. A transposition of neighbours is one error."""
    most = errors_allowed(word)
    for candidate, errors, _ in extract(
        word, candidates, scorer=OSA.distance, score_cutoff=most, limit=_MOST_CORRECTIONS
    ):
        if errors:
            yield candidate, int(errors)


def found_sql(words: Words, *, conditions: Sequence[str] = ()) -> str:
    """Return the common table expressions of a search. The last, `found`, has an entry's columns and `quality`.

    `conditions` restrict the entry `e`. A lower quality is better: 0 is a whole name, then come exact words, beginnings
    and typing errors.
    """
    where = " AND ".join(("true", *conditions))
    own = """
        own AS MATERIALIZED (
            SELECT hit.entry_id, hit.position, min(hit.class) AS class
            FROM (
                SELECT p.entry_id, w.position, w.class
                FROM unnest(%(words)s::text[], %(word_positions)s::int[], %(word_classes)s::int[])
                    AS w(word, position, class)
                JOIN catalogue_searchposting AS p ON p.word = w.word
                UNION ALL
                SELECT p.entry_id, r.position, 1
                FROM unnest(%(lows)s::text[], %(highs)s::text[], %(range_positions)s::int[]) AS r(low, high, position)
                JOIN catalogue_searchposting AS p ON p.word >= r.low AND p.word < r.high
            ) AS hit
            GROUP BY hit.entry_id, hit.position
        )"""
    if len(words.typed) == 1:
        matched = f"""
        found AS (
            SELECT {_COLUMNS}, CASE WHEN %(text)s = ANY(e.folded) THEN 0 ELSE 1 + own.class * 17 END AS quality
            FROM own JOIN catalogue_searchentry AS e ON e.id = own.entry_id
            WHERE {where} AND %(count)s = 1
        )"""
    else:
        matched = f"""
        candidate AS MATERIALIZED (
            SELECT {_COLUMNS}
            FROM (SELECT DISTINCT entry_id FROM own) AS c JOIN catalogue_searchentry AS e ON e.id = c.entry_id
            WHERE {where}
        ),
        best AS (
            SELECT reach.id, reach.position, min(reach.class) AS class
            FROM (
                SELECT own.entry_id AS id, own.position, own.class FROM own
                UNION ALL
                SELECT c.id, own.position, own.class
                FROM candidate AS c CROSS JOIN unnest(c.ancestors) AS above(id) JOIN own ON own.entry_id = above.id
            ) AS reach
            GROUP BY reach.id, reach.position
        ),
        found AS (
            SELECT {_COLUMNS}, CASE WHEN %(text)s = ANY(e.folded) THEN 0 ELSE 1 + every.quality END AS quality
            FROM (
                SELECT id, max(class) * 16 + sum(class)::integer AS quality FROM best
                GROUP BY id HAVING count(*) = %(count)s
            ) AS every
            JOIN candidate AS e ON e.id = every.id
        )"""
    return f"{own},{matched}"
