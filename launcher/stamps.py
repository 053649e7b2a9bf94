"""What was done to a database already, noted as a comment on it: what a stamp says is gone with the database it speaks of.

Spares a warm `up` the seconds that `migrate` and `seed` take to find nothing to do.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from launcher.platform import ROOT
from launcher.processes import package

MIGRATIONS: Final = "migrations"
SEED: Final = "seed"


def migrations_of(service: str) -> str:
    """Return the hash of everything that decides what `migrate` does to the service's database."""
    name = package(service)
    files = (
        *(ROOT / name).glob("*/migrations/*.py"),
        *(ROOT / name).glob("*/models.py"),  # post_migrate makes content types and permissions of them
        *(ROOT / name / "config" / "settings").glob("*.py"),
        *(ROOT / "shared").glob("*/migrations/*.py"),
        ROOT / "requirements" / f"{name}.txt",
    )
    return _hash(files)


def seed_of(service: str, *, secret: str) -> str:
    """Return the hash of what `seed` writes: its code, its data, the day it counts from, and the sign-in it makes."""
    name = package(service)
    folders = [ROOT / name / app for app in ("catalogue", "accounts")]
    files = [file for folder in folders for file in folder.rglob("*") if "seed" in str(file.relative_to(folder))]
    month = datetime.now(UTC).strftime("%Y-%m")  # departures reach a year ahead: a new month adds some
    return _hash(files, extra=f"{month} {hashlib.sha256(secret.encode()).hexdigest()}")


def topics() -> str:
    """Return the hash of what decides which topics there are."""
    return _hash([ROOT / "shared" / "events.py"])


def read(url: str) -> dict[str, str]:
    """Return the stamps of the database behind `url`. Raises psycopg.OperationalError while it is away."""
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


def _hash(files: Iterable[Path], *, extra: str = "") -> str:
    digest = hashlib.sha256(extra.encode())
    for file in sorted(set(files)):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(ROOT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:24]
