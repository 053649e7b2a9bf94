"""Stamps: what was done to a database already, kept as a comment on that database, so that both are deleted together.

A warm `up` compares them, and skips `migrate` and `seed` if their code and data are the same as before.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from launcher.imports import with_imports
from launcher.platform import ROOT
from launcher.processes import package

MIGRATIONS: Final = "migrations"
SEED: Final = "seed"
DECIDING: Final = {"migrations", "models", "apps", "settings"}  # modules, or packages


def migrations_of(service: str, *, root: Path = ROOT) -> str:
    """Return the hash of everything that decides what `migrate` does to the service's database."""
    return _hash(migration_files(service, root=root), root=root)


def migration_files(service: str, *, root: Path = ROOT) -> set[Path]:
    """Return the files that decide what `migrate` does, whatever their modules are called.

    They are the migrations, models, apps and settings of the service and of `shared`, every module that names
    `post_migrate` (its receivers make content types, permissions and staff groups), what all of these import, and the
    locked packages.
    """
    name = package(service)
    modules = [
        file
        for folder in (root / name, root / "shared")
        for file in folder.rglob("*.py")
        if "tests" not in file.parts and _decides(file.relative_to(root), file)
    ]
    return {*with_imports(modules, root=root), root / "requirements" / f"{name}.txt"}


def _decides(path: Path, file: Path) -> bool:
    return bool(DECIDING & {*path.parts, path.stem}) or "post_migrate" in file.read_text()


def seed_of(service: str, *, secret: str, root: Path = ROOT) -> str:
    """Return the hash of what `seed` writes: its code, its data, the month it counts from, and the sign-in it makes."""
    commands = (root / package(service)).glob("*/management/commands/seed.py")
    modules = with_imports(commands, root=root)
    folders = {module.parent for module in modules}
    data = {file for folder in folders for file in folder.iterdir() if file.suffix not in (".py", "")}
    month = datetime.now(UTC).strftime("%Y-%m")  # departures reach a year ahead: a new month adds some
    return _hash(modules | data, extra=f"{month} {hashlib.sha256(secret.encode()).hexdigest()}", root=root)


def read(url: str) -> dict[str, str]:
    """Return the stamps of the database behind `url`. Raises psycopg.OperationalError while it is unavailable."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    try:
        stamps = json.loads(row[0]) if row and row[0] else {}
    except ValueError:
        return {}
    return stamps if isinstance(stamps, dict) else {}


def write(url: str, **stamps: str) -> None:
    """Add to the stamps of the database behind `url`, whose owner the URL's role is."""
    merged = {**read(url), **stamps}
    with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
        statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
        name = connection.info.dbname
        connection.execute(statement.format(sql.Identifier(name), sql.Literal(json.dumps(merged))))


def _hash(files: Iterable[Path], *, extra: str = "", root: Path) -> str:
    digest = hashlib.sha256(extra.encode())
    for file in sorted(set(files)):
        if file.is_file():
            digest.update(str(file.relative_to(root)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:24]
