"""Statements written as SQL, for paths so frequent that the ORM's own work would cost more than PostgreSQL's."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Model
from psycopg import ClientCursor, Cursor
from psycopg.rows import RowMaker

Row = TypeVar("Row")
ModelT = TypeVar("ModelT", bound=Model)


class Statement(Generic[Row]):
    """A statement, and what each row of its answer becomes. PostgreSQL plans it once per connection.

    `row` is called with the columns in their order. The SQL names every column that it reads: a `*` would fail on each
    open connection after a migration. Parameters are written `%(name)s`; a list is `= ANY(%(ids)s)`. A page of a
    whole table has its limit in the SQL: for a limit that is a parameter, PostgreSQL plans to read a tenth of all rows.
    A statement that writes has rows in its answer only if it ends in RETURNING.
    """

    def __init__(self, row: Callable[..., Row], sql: str) -> None:
        self.sql: Final = sql
        self._row = row

    def all(self, **parameters: object) -> list[Row]:
        """Return every row, in the current transaction if there is one. Raises Django's database errors."""
        return self.send(**parameters).all()

    def first(self, **parameters: object) -> Row | None:
        """Return the first row, or None."""
        return self.send(**parameters).first()

    def send(self, **parameters: object) -> "Answer[Row]":
        """Execute the statement. In the body of `one_round_trip`, only send it: its answer is read later, or never."""
        database = connections[DEFAULT_DB_ALIAS]  # looked up once: `connection` looks it up at every attribute
        database.ensure_connection()
        database.validate_no_broken_transaction()
        cursor = Cursor(database.connection, row_factory=self._maker)
        started = time.monotonic()
        with database.wrap_database_errors:
            cursor.execute(self.sql, parameters, prepare=True, binary=True)
        if database.queries_logged:  # so that tests can count it among Django's own queries
            sql = ClientCursor(database.connection).mogrify(self.sql, parameters)
            database.queries_log.append({"sql": sql, "time": f"{time.monotonic() - started:.3f}"})
        return Answer(cursor, database)

    def _maker(self, _cursor: Cursor[Any]) -> RowMaker[Row]:
        def make(values: Sequence[Any]) -> Row:
            return self._row(*values)

        return make


class Answer(Generic[Row]):
    """The rows of a statement that was sent. Reading them waits for PostgreSQL, and raises Django's database errors."""

    def __init__(self, cursor: Cursor[Row], database: BaseDatabaseWrapper) -> None:
        self._cursor = cursor
        self._database = database

    def all(self) -> list[Row]:
        """Return every row."""
        with self._database.wrap_database_errors:
            return self._cursor.fetchall()

    def first(self) -> Row | None:
        """Return the first row, or None."""
        return next(iter(self.all()), None)


class Insert(Generic[ModelT]):
    """The INSERT of one row of a model, compiled once from the model's columns. It sends no signals of Django."""

    def __init__(self, model: type[ModelT]) -> None:
        self._fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
        columns = ", ".join(f'"{field.column}"' for field in self._fields)
        values = ", ".join(f"%({field.attname})s" for field in self._fields)
        insert = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({values})'  # noqa: S608 - names of columns
        self._statement: Statement[None] = Statement(lambda: None, insert)

    def send(self, row: ModelT) -> None:
        """Insert the row as `row.save(force_insert=True)` does, but leave a key that PostgreSQL counts unset."""
        database = connections[DEFAULT_DB_ALIAS]
        self._statement.send(
            **{field.attname: field.get_db_prep_save(field.pre_save(row, True), database) for field in self._fields}
        )
        row._state.adding = False


@contextmanager
def one_round_trip() -> Iterator[None]:
    """Send the statements of the body together. PostgreSQL executes them in their order.

    Read their answers after the body: reading one in the body waits once more. The first error of a statement is raised
    at the end of the body at the latest, and PostgreSQL executes no later statement. The ORM does not belong in the
    body, because it reads every answer.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with database.wrap_database_errors, database.connection.pipeline():
        yield
