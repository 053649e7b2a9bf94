"""Find the places and trips that match words: exactly, by a beginning, or with typing errors.

Words are folded, so that case, accents and punctuation do not count. Every word must match: the names or tags of the
entry, or the names of a place that the entry is in. One of them must match the entry itself.
"""

# ruff: noqa: S608 — the statement is put together from constants of this module. Every value is a parameter.

import time
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
_MOST_CORRECTIONS: Final = 60  # words of the index that a mistyped word may stand for
# A new word is a correction of a mistyped one within this time. It is found as it is written at once.
_REMEMBERED_SECONDS: Final = 60.0
_MOST_REMEMBERED: Final = 20_000
_SHORTEST_BEGINNING: Final = 3  # a shorter word matches only the beginnings of names
# How well a word matches. The worst word of an entry counts first.
_EXACT, _BEGINNING, _ONE_ERROR, _TWO_ERRORS = range(4)
_COLUMNS: Final = "e.id, e.kind, e.kind_order, e.country_code, e.tags, e.popularity, e.population"
COUNTRY_RANKS: Final = 10_000  # the ranks of countries are up to it
MOST_FOUND: Final = 2_000  # entries that a search reads for each word. Frequent words have more
MOST_JOINED: Final = 2_000  # of each word, if there are several
MOST_WITHOUT_DRIVER: Final = 1_000  # of all words, if each is frequent
_LAST_CHARACTER: Final = "\U0010ffff"
# The function looks for words with a trigram similarity of at least 0.2: one error in five letters leaves no more.
_SIMILAR: Final = Statement(
    lambda typed, word: (typed, word),
    "SELECT t.word, candidate.word FROM unnest(%(words)s::text[], %(errors)s::int[]) AS t(word, errors)"
    " CROSS JOIN LATERAL catalogue_similar_words(t.word, length(t.word) - t.errors, length(t.word) + t.errors)"
    " AS candidate(word)",
)

Corrections = tuple[tuple[str, int], ...]  # words of the index, each with its number of errors
_remembered: dict[str, tuple[float, Corrections]] = {}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a search text, with the words of the index that each may stand for.

    `text` is the folded text. `corrections` has pairs of a corrected word and its number of errors, for each word.
    """

    text: str
    typed: tuple[str, ...]
    corrections: tuple[Corrections, ...]

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `found_sql`."""
        values: dict[str, Any] = {"text": self.text}
        for position, word in enumerate(self.typed):
            wanted = dict(reversed(list(self._wanted(position))))  # the first class of a word counts
            values[f"words_{position}"] = list(wanted)
            values[f"classes_{position}"] = list(wanted.values())
            for class_ in set(wanted.values()) if len(self.typed) > 1 else ():
                values[f"words_{position}_{class_}"] = [key for key, value in wanted.items() if value == class_]
            if self.has_range(position):
                values[f"low_{position}"], values[f"high_{position}"] = word, word + _LAST_CHARACTER
                values[f"tag_low_{position}"], values[f"tag_high_{position}"] = f"#{word}", f"#{word}{_LAST_CHARACTER}"
        return values

    @property
    def may_have_errors(self) -> bool:
        """Whether a word is long enough to have a typing error."""
        return any(map(errors_allowed, self.typed))

    def has_range(self, position: int) -> bool:
        """Return whether the typed word matches the beginning of any word."""
        return len(self.typed[position]) >= _SHORTEST_BEGINNING

    def _wanted(self, position: int) -> Iterator[tuple[str, int]]:
        """Yield the postings that the typed word stands for, each with its class."""
        word = self.typed[position]
        is_short = len(word) < _SHORTEST_BEGINNING
        if not is_short or len(self.typed) > 1:
            yield word, _EXACT
            yield f"#{word}", _BEGINNING
        if is_short:
            yield f"={word}", _EXACT
            yield f"^{word}", _BEGINNING
        for corrected, errors in self.corrections[position]:
            yield corrected, _ONE_ERROR if errors == 1 else _TWO_ERRORS
            yield f"#{corrected}", _TWO_ERRORS


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
    corrections = _corrected(long) if long else {}
    return Words(text=fold(text), typed=typed, corrections=tuple(corrections.get(word, ()) for word in typed))


def _corrected(words: Sequence[str]) -> dict[str, Corrections]:
    """Return the corrections of each word: those that this process remembers, and the others by one statement."""
    now = time.monotonic()
    known = {word: _remembered.get(word) for word in words}
    found = {word: entry[1] for word, entry in known.items() if entry is not None and entry[0] > now}
    missing = [word for word in words if word not in found]
    if missing:
        similar: dict[str, list[str]] = {word: [] for word in missing}
        for word, candidate in _SIMILAR.all(words=missing, errors=[errors_allowed(word) for word in missing]):
            similar[word].append(candidate)
        if len(_remembered) > _MOST_REMEMBERED:
            _remembered.clear()
        for word, candidates in similar.items():
            found[word] = tuple(_corrections(word, candidates))
            _remembered[word] = (now + _REMEMBERED_SECONDS, found[word])
    return found


def forget_corrections() -> None:
    """Forget the corrections that this process remembers. For tests, which write words and search for them at once."""
    _remembered.clear()


def _corrections(word: str, candidates: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the candidates within the errors allowed, nearest first. A transposition of neighbours is one error."""
    most = errors_allowed(word)
    for candidate, errors, _ in extract(
        word, candidates, scorer=OSA.distance, score_cutoff=most, limit=_MOST_CORRECTIONS
    ):
        if errors:
            yield candidate, int(errors)


def found_sql(words: Words, *, conditions: Sequence[str] = (), most: int = MOST_FOUND) -> str:
    """Return the common table expressions of a search. The last, `found`, has an entry's columns and `quality`.

    `conditions` restrict the entry `e`. A lower quality is better: 0 is a whole name, then come exact words, beginnings
    and typing errors. Only the `most` best-ranked entries of a word are read, so that a frequent word takes no longer.
    """
    where = " AND ".join(("true", *conditions))
    most = min(most, MOST_JOINED) if len(words.typed) > 1 else most
    own = ",".join(_own_sql(words, position, most) for position in range(len(words.typed)))
    if len(words.typed) > 1:
        return f"{own},{_joined_sql(words, where, most)}"
    return f"""{own},
        found AS (
            SELECT {_COLUMNS},
                CASE WHEN own.class = 0 AND %(text)s = ANY(e.folded) THEN 0 ELSE 1 + own.class * 17 END AS quality
            FROM own_0 AS own JOIN catalogue_searchentry AS e ON e.id = own.entry_id
            WHERE {where}
        )"""


def _own_sql(words: Words, position: int, most: int) -> str:
    """Return the entries that match the word themselves: `own_<position>`."""
    best = f"ORDER BY p.rank LIMIT {most:d}"
    parts = [
        f"""SELECT p.entry_id, p.rank, w.class
            FROM unnest(%(words_{position})s::text[], %(classes_{position})s::int[]) AS w(word, class)
            CROSS JOIN LATERAL (
                SELECT p.entry_id, p.rank FROM catalogue_searchposting AS p WHERE p.word = w.word {best}) AS p"""
    ]
    parts += [
        f"""(SELECT p.entry_id, p.rank, {_BEGINNING} FROM catalogue_searchposting AS p
            WHERE p.word >= %({low}_{position})s AND p.word < %({high}_{position})s {best})"""
        for low, high in (("low", "high"), ("tag_low", "tag_high"))
        if words.has_range(position)
    ]
    return f"""
        own_{position} AS MATERIALIZED (
            SELECT p.entry_id, min(p.class) AS class, min(p.rank) AS rank, count(*) AS postings
            FROM ({" UNION ALL ".join(parts)}) AS p GROUP BY p.entry_id
        )"""


def _joined_sql(words: Words, where: str, most: int) -> str:
    """Return the entries that match every word, themselves or by a place that they are in; and one word themselves.

    A word is `complete` if all its entries were read. The rarest complete word that names no country is the driver:
    every result matches it, or is inside an entry that does. Without a driver, such as for "saint france", the results
    are among the entries that match the most words themselves, then the best-ranked ones.
    """
    positions = range(len(words.typed))
    sizes = " UNION ALL ".join(
        f"""SELECT {position} AS position, coalesce(sum(o.postings), 0) AS postings,
                coalesce(sum(o.postings), 0) < {most:d} AS complete,
                coalesce(min(o.rank), {COUNTRY_RANKS} + 1) <= {COUNTRY_RANKS} AS has_country
            FROM own_{position} AS o"""
        for position in positions
    )
    all_own = " UNION ALL ".join(f"SELECT {at} AS position, o.* FROM own_{at} AS o" for at in positions)
    # LIMIT makes PostgreSQL look up each node, because it cannot know how few they are.
    probes = " UNION ALL ".join(
        f"""SELECT n.via, {position}, {class_} FROM node AS n CROSS JOIN LATERAL (
                SELECT FROM catalogue_searchposting AS p WHERE p.entry_id = n.via AND {condition} LIMIT 1) AS posting
            WHERE (SELECT NOT s.complete FROM size AS s WHERE s.position = {position})"""
        for position in positions
        for class_, condition in _probes(words, position)
    )
    return f"""
        size AS MATERIALIZED ({sizes}),
        every_own AS MATERIALIZED ({all_own}),
        driver AS MATERIALIZED (
            SELECT s.position FROM size AS s WHERE s.complete AND NOT s.has_country
            ORDER BY s.postings, s.position LIMIT 1
        ),
        candidate AS MATERIALIZED (
            SELECT e.id, e.ancestors
            FROM (
                SELECT o.entry_id FROM every_own AS o WHERE o.position = (SELECT position FROM driver)
                UNION
                (SELECT i.id FROM catalogue_searchentry AS i
                WHERE i.ancestors && ARRAY(
                    SELECT o.entry_id FROM every_own AS o WHERE o.position = (SELECT position FROM driver))
                LIMIT {most:d})
                UNION
                (SELECT o.entry_id FROM every_own AS o WHERE NOT EXISTS (SELECT FROM driver)
                GROUP BY o.entry_id ORDER BY count(*) DESC, min(o.rank) LIMIT {MOST_WITHOUT_DRIVER})
            ) AS c JOIN catalogue_searchentry AS e ON e.id = c.entry_id
            WHERE {where}
        ),
        reach AS MATERIALIZED (
            SELECT c.id, above.id AS via FROM candidate AS c CROSS JOIN unnest(c.ancestors || c.id) AS above(id)
        ),
        node AS MATERIALIZED (SELECT DISTINCT via FROM reach),
        hit AS (
            SELECT o.entry_id AS via, o.position, o.class FROM every_own AS o
            UNION ALL {probes}
        ),
        best AS (
            SELECT r.id, h.position, min(h.class) AS class, bool_or(r.via = r.id) AS is_own
            FROM reach AS r JOIN hit AS h ON h.via = r.via
            GROUP BY r.id, h.position
        ),
        found AS (
            SELECT {_COLUMNS},
                CASE WHEN every.quality = 0 AND %(text)s = ANY(e.folded) THEN 0 ELSE 1 + every.quality END AS quality
            FROM (
                SELECT id, max(class) * 16 + sum(class)::integer AS quality FROM best
                GROUP BY id HAVING count(*) = {len(words.typed):d} AND bool_or(is_own)
            ) AS every
            JOIN catalogue_searchentry AS e ON e.id = every.id
        )"""


def _probes(words: Words, position: int) -> Iterator[tuple[int, str]]:
    """Yield (class, condition) of each posting `p` that the word matches. They are looked up for incomplete words."""
    classes = sorted(set(words.parameters()[f"classes_{position}"]))
    for class_ in classes:
        yield class_, f"p.word = ANY(%(words_{position}_{class_})s::text[])"
    if words.has_range(position):
        for low, high in (("low", "high"), ("tag_low", "tag_high")):
            yield _BEGINNING, f"p.word >= %({low}_{position})s AND p.word < %({high}_{position})s"
