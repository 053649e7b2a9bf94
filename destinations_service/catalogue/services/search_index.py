"""Rewrite the search index of places and trips. Call these in the transaction of the write that they follow."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from destinations_service.catalogue.folding import fold
from destinations_service.catalogue.tags import tag_label

BEGINNINGS: Final = (1, 2)  # letters: shorter words than these match only the beginnings of names
_LONGEST_WORD: Final = 200
_RANKS: Final = 10_000  # of a kind
_KIND_ORDER: Final = {"COUNTRY": 0, "CITY": 1, "POINT_OF_INTEREST": 2, "TRIP": 3}
# Rows of (id, kind, ancestors, country_code, tags, popularity, population, names, more names that find the entry).
# The names of the translations come first. One or two letters find only them, and names in other scripts.
_PLACES: Final = """
    SELECT d.id, d.kind, d.ancestors, d.country_code, d.tags, d.popularity, coalesce(d.population, 0),
           ARRAY(SELECT t.name FROM catalogue_destinationtranslation AS t
                 WHERE t.destination_id = d.id AND t.name <> '' ORDER BY t.language),
           ARRAY(SELECT n.name FROM catalogue_placename AS n WHERE n.destination_id = d.id ORDER BY n.language, n.name)
    FROM catalogue_destination AS d
    WHERE %(all)s OR d.id = ANY(%(ids)s)
    ORDER BY d.id
"""
_TRIPS: Final = """
    SELECT t.id, 'TRIP', d.ancestors || d.id, d.country_code, d.tags, t.popularity, 0::bigint,
           ARRAY(SELECT x.title FROM catalogue_triptranslation AS x WHERE x.trip_id = t.id AND x.title <> ''
                 ORDER BY x.language),
           ARRAY(SELECT x.name FROM catalogue_destinationtranslation AS x WHERE x.destination_id = d.id
                 UNION SELECT n.name FROM catalogue_placename AS n WHERE n.destination_id = d.id)
    FROM catalogue_trip AS t JOIN catalogue_destination AS d ON d.id = t.destination_id
    WHERE %(all)s OR t.id = ANY(%(ids)s) OR d.id = ANY(%(places)s)
    ORDER BY t.id
"""
_BATCH: Final = 1_000  # the transaction waits while the entries of a batch are made


class _Entry(NamedTuple):
    id: UUID
    kind: str
    ancestors: list[UUID]
    country_code: str
    tags: list[str]
    popularity: int
    population: int
    names: list[str]
    other_names: list[str]

    @property
    def shown_names(self) -> list[str]:
        """The names that a result may show. A trip is not called like its destination."""
        return self.names if self.kind == "TRIP" else list(dict.fromkeys([*self.names, *self.other_names]))

    @property
    def rank(self) -> int:
        """Order entries roughly as results are: by kind, then by popularity and population, as they are now."""
        size = 300 * math.log2(1 + max(0, self.popularity)) + 100 * math.log2(1 + max(0, self.population))
        return (_KIND_ORDER[self.kind] + 1) * _RANKS - min(_RANKS - 1, round(size))

    def postings(self) -> set[str]:
        """Return every word that finds the entry, as SearchPosting stores it."""
        folded = [fold(name) for name in (*self.names, *self.other_names)]
        words = {word for name in folded for word in name.split()}
        words.update(f"#{word}" for tag in self.tags for word in _words_of_tag(tag))
        beginnings = {*map(fold, self.names), *(name for name in folded if not name.isascii())} - {""}
        words.update(f"^{name[:length]}" for name in beginnings for length in BEGINNINGS)
        words.update(f"={name}" for name in folded if 0 < len(name) <= BEGINNINGS[-1])
        return {word for word in words if len(word) <= _LONGEST_WORD}


def _words_of_tag(tag: str) -> list[str]:
    label = tag_label(tag)
    return fold(f"{tag} {label.en} {label.fr}").split()


def refresh_search(*, ids: Collection[UUID] | None = None) -> None:
    """Rewrite the index of the places in `ids` and of the trips to them, or of the whole catalogue.

    Call it after a change of names, translations, tags, parent, country, kind or population. Places below a changed
    place need no rewriting for its names, because they find its words by its id.
    """
    parameters = {"all": ids is None, "ids": list(ids or ())}
    with transaction.atomic(), connection.cursor() as cursor:
        if ids is None:
            for table in ("searchentry", "searchposting", "searchword"):
                cursor.execute(f"DELETE FROM catalogue_{table}")  # noqa: S608 - TRUNCATE would lock out the readers
        _write(cursor, _PLACES, parameters, is_empty=ids is None)
        _write(cursor, _TRIPS, {**parameters, "ids": [], "places": parameters["ids"]}, is_empty=ids is None)


def refresh_search_of_trips(*, ids: Collection[UUID]) -> None:
    """Rewrite the index of trips. Call it after a change of their titles or their destination."""
    with transaction.atomic(), connection.cursor() as cursor:
        _write(cursor, _TRIPS, {"all": False, "ids": list(ids), "places": []})


def remove_from_search(*, ids: Collection[UUID]) -> None:
    """Take places and trips that were deleted out of the index."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalogue_searchentry WHERE id = ANY(%s)", [list(ids)])
        cursor.execute("DELETE FROM catalogue_searchposting WHERE entry_id = ANY(%s)", [list(ids)])


def _write(cursor: CursorWrapper, query: str, parameters: dict[str, Any], *, is_empty: bool = False) -> None:
    for rows in _batches(query, parameters):
        entries = [_Entry(*row) for row in rows]
        if not is_empty:
            remove_from_search(ids=[entry.id for entry in entries])
        _copy(cursor, "catalogue_searchentry (id, kind, kind_order, ancestors, country_code, tags, names, folded,"
              " popularity, population)", map(_entry_columns, entries))  # fmt: skip
        postings = [(entry.id, sorted(entry.postings())) for entry in entries]
        ranks = {entry.id: entry.rank for entry in entries}
        words = ((word, ranks[id_], id_) for id_, words in postings for word in words)
        _copy(cursor, "catalogue_searchposting (word, rank, entry_id)", words)
        vocabulary = sorted({word.lstrip("#") for _, words in postings for word in words if word[0] not in "^="})
        cursor.execute(
            "INSERT INTO catalogue_searchword (word) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", [vocabulary]
        )


def _batches(query: str, parameters: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Yield the rows of the query in batches, from a cursor in the database."""
    with connection.chunked_cursor() as rows:
        rows.execute(query, parameters)
        while batch := rows.fetchmany(_BATCH):
            yield batch


def _entry_columns(entry: _Entry) -> tuple[Any, ...]:
    names = entry.shown_names
    return (
        entry.id, entry.kind, _KIND_ORDER[entry.kind], entry.ancestors, entry.country_code,
        [tag.lower() for tag in entry.tags], names, sorted({fold(name) for name in names} - {""}),
        entry.popularity, entry.population,
    )  # fmt: skip


def _copy(cursor: CursorWrapper, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {columns} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
