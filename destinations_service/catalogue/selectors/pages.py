"""Pages of the catalogue: one statement counts the rows of a list and reads those of a page.

It does so for many parents at once, because the list is a LATERAL query, which runs for each parent.
"""

# ruff: noqa: S608 — the statements are put together from constants of the selectors. Every value is a parameter.

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from destinations_service.catalogue.contracts import Listed
from destinations_service.catalogue.selectors.rows import Rows
from shared.pages import Key, after_sql, decode, encode, order_sql
from shared.statement import Statement

V = TypeVar("V")

_NO_PARENT: Final = UUID(int=0)


class Entry(NamedTuple, Generic[V]):
    """A row of a page: the parent, how many rows the parent's list has, the values of its keys, and the view.

    An empty page has one entry, without a view.
    """

    parent: UUID
    total: int
    keys: Sequence[Any]
    view: V | None


@dataclass(frozen=True, slots=True)
class PagedList(Generic[V]):
    """A list of rows in the order of `keys`. `kind` is in its cursors.

    `matching` is a SELECT of the rows' ids and keys; it may name the parent's id, `parent.id`. If `is_dear`, it runs
    once for the count and the page; else an index may find the page without the other rows.
    """

    rows: Rows[V]
    matching: str
    keys: Sequence[Key]
    kind: str
    is_dear: bool = False
    is_counted: bool = True

    def page(self, *, first: int, after: str, **parameters: Any) -> Listed[V]:
        """Return a page of a list without a parent. Raises Invalid for a cursor of another list."""
        return self.pages([_NO_PARENT], first=first, after=after, **parameters)[_NO_PARENT]

    def pages(self, parents: Collection[UUID], *, first: int, after: str, **parameters: Any) -> dict[UUID, Listed[V]]:
        """Return a page for each parent. Raises Invalid for a cursor of another list."""
        if after:
            place = decode(after, keys=self.keys, kind=self.kind)
            parameters.update({f"after_{key.name}": value for key, value in zip(self.keys, place, strict=True)})
        entries: dict[UUID, list[Entry[V]]] = {parent: [] for parent in parents}
        statement = Statement(self._entry, self._sql(limit=first + 1, is_first_page=not after))
        for entry in statement.all(parents=list(entries), **parameters):
            entries[entry.parent].append(entry)
        return {parent: self._listed(read, first=first, after=after) for parent, read in entries.items()}

    def _sql(self, *, limit: int, is_first_page: bool) -> str:
        # The limit is no parameter: PostgreSQL would plan for a tenth of all rows.
        return f"""
            SELECT parent.id, found.total, {", ".join(f"found.{key.name}" for key in self.keys)}, {self.rows.columns}
            FROM unnest(%(parents)s::uuid[]) AS parent(id)
            CROSS JOIN LATERAL (
                WITH matching AS {"" if self.is_dear else "NOT"} MATERIALIZED ({self.matching})
                SELECT counted.total, page.*
                FROM (SELECT {"count(*) AS total FROM matching" if self.is_counted else "0 AS total"}) AS counted
                LEFT JOIN (
                    SELECT * FROM matching WHERE {"true" if is_first_page else after_sql(self.keys)}
                    ORDER BY {order_sql(self.keys)} LIMIT {limit:d}
                ) AS page ON true
            ) AS found
            {self.rows.joined(f"{self.rows.name}.id = found.id")}
            ORDER BY {order_sql(self.keys, table="found.")}
        """

    def _entry(self, parent: UUID, total: int, *values: Any) -> Entry[V]:
        keys, columns = values[: len(self.keys)], values[len(self.keys) :]
        return Entry(parent, total, keys, None if columns[0] is None else self.rows.view(*columns))

    def _listed(self, entries: Sequence[Entry[V]], *, first: int, after: str) -> Listed[V]:
        shown = [entry for entry in entries[:first] if entry.view is not None]
        return Listed(
            views=[entry.view for entry in shown if entry.view is not None],
            cursors=[encode(entry.keys, kind=self.kind) for entry in shown],
            has_next=len(entries) > first,
            has_previous=bool(after),
            total=entries[0].total,
        )
