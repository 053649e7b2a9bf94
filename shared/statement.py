"""SELECTs written as SQL, for reads so frequent that the ORM's own work would cost more than PostgreSQL's."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from django.db import connection
from psycopg import ClientCursor, Cursor
from psycopg.rows import RowMaker

Row = TypeVar("Row")


class Statement(Generic[Row]):
    """A SELECT and what each of its rows becomes. PostgreSQL plans it once per connection.

    `row` is called with the columns in their order. The SQL names every column that it reads: a `*` would fail on each
    open connection after a migration. Parameters are written `%(name)s`; a list is `= ANY(%(ids)s)`.
    """

    def __init__(self, row: Callable[..., Row], sql: str) -> None:
        self.sql: Final = sql
        self._row = row

    def all(self, **parameters: object) -> list[Row]:
        """Return every row, in the current transaction if there is one. Raises Django's database errors."""
        connection.ensure_connection()
        connection.validate_no_broken_transaction()
        with connection.wrap_database_errors, Cursor(connection.connection, row_factory=self._maker) as cursor:
            started = time.monotonic()
            cursor.execute(self.sql, parameters, prepare=True, binary=True)
            rows = cursor.fetchall()
        if connection.queries_logged:  # so that tests can count it among Django's own queries
            sql = ClientCursor(connection.connection).mogrify(self.sql, parameters)
            connection.queries_log.append({"sql": sql, "time": f"{time.monotonic() - started:.3f}"})
        return rows

    def first(self, **parameters: object) -> Row | None:
        """Return the first row, or None."""
        return next(iter(self.all(**parameters)), None)

    def _maker(self, _cursor: Cursor[Any]) -> RowMaker[Row]:
        def make(values: Sequence[Any]) -> Row:
            return self._row(*values)

        return make
