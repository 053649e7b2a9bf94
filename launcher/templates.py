"""Template databases for tests.

Each is migrated once for each state of the migrations, and copied by every test run.
"""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import psycopg
from psycopg import sql

from launcher import stamps
from launcher.children import forget, last_lines, log_of, spawn
from launcher.environment import long_command_environment
from launcher.infrastructure import postgres
from launcher.platform import Platform
from launcher.processes import package
from launcher.refusal import Refusal
from launcher.vault import Vault

AT_ONCE: Final = 2  # databases that are migrated together


def make(platform: Platform, services: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the template database of each service. Migrate those that are missing or outdated. Raises Refusal."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(services, pool.map(lambda name: _template(platform, name, environment), services), strict=True))


def _template(platform: Platform, service: str, environment: Mapping[str, str]) -> str:
    wanted = stamps.migrations_of(service)
    name = f"template_{service}_{wanted[:8]}"
    vault = Vault(platform)
    url = f"{postgres.url(platform, vault, service).rpartition('/')[0]}/{name}"
    try:
        if stamps.read(url).get(stamps.MIGRATIONS) == wanted:
            return name
    except psycopg.OperationalError:
        pass  # it does not exist yet
    with postgres.connect(platform, vault) as connection:
        old = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"template_{service}_%"])
        for (database,) in old.fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(service)
            )
        )
    _migrate(platform, service, {**environment, f"{service.upper()}_DATABASE_URL": url})
    stamps.write(url, **{stamps.MIGRATIONS: wanted})
    return name


def _migrate(platform: Platform, service: str, environment: Mapping[str, str]) -> None:
    command = [sys.executable, f"{package(service)}/manage.py", "migrate", "--no-input"]
    _, process = spawn(platform, f"migrate-{service}", command, environment=long_command_environment(environment))
    code = process.wait()
    forget(platform, f"migrate-{service}")
    if code:
        lines = last_lines(log_of(platform, f"migrate-{service}"), 15)
        raise Refusal(
            "\n".join([f"The migrations of {service} failed with exit code {code}. Their last lines:", *lines])
        )
