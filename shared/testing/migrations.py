"""Checks migrations: they fit the models, and old code runs on the new schema ("expand, then contract").

`DJANGO_SETTINGS_MODULE=users_service.config.settings python -m shared.testing.migrations` reports models without a
migration, and lints the SQL of this repository's migrations that the service installs. First migrations are left out,
because no old code ran before them. It needs no database server.
"""

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_migration_linter import MigrationLinter
from pgtrigger import migrations as triggers
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
SERVER_VERSION = 180000  # the server version that the SQL is for
# What the linter refuses although it does no harm: a longer varchar rewrites nothing, and a unique constraint that
# replaces a stricter one refuses no row of old code.
HARMLESS = ["0004_longer_link_purposes", "0003_letter_identity"]


def own_apps() -> list[str]:
    """Return the labels of the installed apps whose code is in this repository."""
    return [
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(ROOT) and ".venv" not in Path(config.path).parts
    ]


def offline() -> None:
    """Let Django write a migration's SQL without a server. Nothing is applied."""

    def applied_migrations(_: MigrationRecorder) -> dict[Any, Any]:
        return {}

    def composed(statement: str, params: Sequence[Any] | None) -> str:
        return statement % tuple(sql.quote(param) for param in params) if params else statement

    def check_consistent_history(_: MigrationLoader, __: object) -> None:
        return None

    def no_constraints(*_: object, **__: object) -> list[str]:
        return []

    def deterministic(*_: object) -> bool:
        return True

    def no_transaction(*_: object, **__: object) -> AbstractContextManager[None]:
        return nullcontext()

    setattr(MigrationLoader, check_consistent_history.__name__, check_consistent_history)
    setattr(MigrationRecorder, applied_migrations.__name__, applied_migrations)
    # Changed foreign keys and collations are looked up in the database. A trigger has a transaction of its own.
    setattr(BaseDatabaseSchemaEditor, "_constraint_names", no_constraints)  # noqa: B010 — Django's own name
    setattr(DatabaseSchemaEditor, "_is_collation_deterministic", deterministic)  # noqa: B010
    vars(triggers)["transaction"] = SimpleNamespace(atomic=no_transaction)
    connection.features.can_rollback_ddl = False  # no transaction around SQL that is only printed
    connection.ops.compose_sql = composed
    connection.__dict__["pg_version"] = SERVER_VERSION


def main() -> int:
    """Return 1 if a migration is missing, or breaks code that runs while it is applied."""
    django.setup()
    logging.disable(logging.INFO)
    offline()
    try:
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=1)
    except SystemExit:
        return 1
    package = os.environ["DJANGO_SETTINGS_MODULE"].partition(".")[0]
    linter = MigrationLinter(
        str(ROOT / package),
        include_apps=own_apps(),
        ignore_initial_migrations=True,
        ignore_name=HARMLESS,
        no_cache=True,
        quiet=["ok", "ignore"],
    )
    linter.lint_all_migrations()
    linter.print_summary()
    return 1 if linter.has_errors else 0


if __name__ == "__main__":
    sys.exit(main())
