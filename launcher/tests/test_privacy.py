"""What people wrote reaches no log of the servers, and only the owner of the platform may read its files."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from launcher import children, ports
from launcher.infrastructure import postgres, valkey
from launcher.platform import Platform
from launcher.vault import Vault
from shared.testing.patience import eventually

CANARY = "canary-4f1d"


def test_a_refused_row_is_not_in_postgres_log(running: Platform) -> None:
    """Seen failing without postgres.SILENT: the row is in DETAIL and in STATEMENT."""
    log = children.log_of(running, "postgres")
    began = log.stat().st_size
    with postgres.connect(running, Vault(running)) as connection:
        connection.execute("CREATE TABLE people (email text UNIQUE, hash text NOT NULL)")
        row = (f"{CANARY}@travel.example", f"argon2${CANARY}")
        connection.execute("INSERT INTO people VALUES (%s, %s)", row)
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES (%s, %s)", row)
        with pytest.raises(psycopg.errors.NotNullViolation):
            connection.execute(f"INSERT INTO people VALUES ('{CANARY}', NULL)")

    eventually(lambda: log.read_bytes()[began:].count(b"ERROR:") == 2)
    assert CANARY not in log.read_text()


def files(folder: Path) -> Iterator[Path]:
    """Yield the folder and everything in it. PostgreSQL's own files come and go."""
    yield folder
    yield from (path for path in folder.rglob("*") if path.exists())


def test_only_the_owner_may_read_the_state(running: Platform) -> None:
    """Seen failing for logs, mails and the files of Valkey and Kafka without the umask of children."""
    with smtplib.SMTP("127.0.0.1", running.port(ports.SMTP)) as server:
        server.sendmail("hello@travel.example", ["ann@travel.example"], "Subject: a link\n\ntoken")
    assert valkey.ready(running, Vault(running))
    assert any((running.mail / "new").iterdir())
    assert any((running.var / "valkey").rglob("*.aof"))

    private = [running.log, running.mail, running.sms, running.run, running.secrets, running.media]
    private += [running.var / name for name in ("valkey", "kafka")]
    closed = [folder for folder in private if folder.stat().st_mode & 0o077 == 0]
    open_files = [
        path
        for folder in (running.log, running.mail, running.var / "valkey", running.var / "kafka" / "data")
        for path in files(folder)
        if path.stat().st_mode & 0o077
    ]

    assert closed == private
    assert not open_files
    assert postgres.locate(running).data.stat().st_mode & 0o077 == 0


def test_logs_and_folders_of_an_older_version_are_closed(platform: Platform) -> None:
    log = children.log_of(platform, "postgres")
    log.write_text("an old line\n")
    log.chmod(0o644)
    platform.log.chmod(0o755)

    platform.make_folders()
    children.open_log(log).close()

    assert (log.stat().st_mode & 0o777, platform.log.stat().st_mode & 0o777) == (0o600, 0o700)
    assert log.read_text() == "an old line\n"
