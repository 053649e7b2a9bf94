"""SELECTs written as SQL: what they share with Django's own queries."""

from typing import NamedTuple

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from shared.statement import Statement

pytestmark = pytest.mark.django_db


class Named(NamedTuple):
    number: int
    name: str


NAMES: Statement[Named] = Statement(
    Named, "SELECT n, 'n' || n FROM unnest(%(numbers)s::int[]) AS n WHERE 10 / n > 0 ORDER BY n"
)


def test_each_row_becomes_a_value() -> None:
    assert NAMES.all(numbers=[2, 1]) == [Named(1, "n1"), Named(2, "n2")]
    assert NAMES.first(numbers=[2, 1]) == Named(1, "n1")
    assert NAMES.first(numbers=[]) is None


def test_a_statement_runs_in_the_transaction_of_the_orm() -> None:
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE own (n int) ON COMMIT DROP; INSERT INTO own VALUES (7)")

        assert Statement(int, "SELECT n FROM own").all() == [7]

    assert any("FROM own" in query["sql"] for query in queries)


def test_postgresql_prepares_a_statement_at_its_first_execution() -> None:
    """Seen failing (no prepared statement) with Django's prepare_threshold of None."""
    NAMES.all(numbers=[1])

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%unnest%10 / n%'")
        assert cursor.fetchone() == (1,)


def test_an_error_of_the_database_is_djangos_error() -> None:
    """Seen failing (psycopg's own error) without wrap_database_errors."""
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        NAMES.all(numbers=[0])


def test_a_broken_transaction_runs_no_statement() -> None:
    """Seen failing (the row is returned) without validate_no_broken_transaction."""
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            NAMES.all(numbers=[1])
