"""Run the Celery processes of this service as in production, with a test's database, broker, mail server and users."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from shared.testing import eventually

ROOT = Path(__file__).resolve().parents[2]
QUEUES = {"urgent": "urgent", "worker": "sms,documents,mail"}
THREADS = {"urgent": 2, "worker": 4}


def environment_of_this_test() -> dict[str, str]:
    """Return the environment for another process with this test's database and broker."""
    database = connection.settings_dict
    server = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    url = f"postgres://{server}/{database['NAME']}"
    return {**os.environ, "NOTIFICATIONS_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}


def channels(sms_folder: Path) -> dict[str, str]:
    """Return the environment for another process with this test's mail server and SMS folder."""
    return {"EMAIL_URL": f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}", "SMS_DIR": str(sms_folder)}


@contextmanager
def worker(
    tmp_path: Path, *, name: str = "worker", queues: str | None = None, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `notifications.<name>` until the body ends, on its own queues or on `queues`."""
    arguments = ["worker", "--hostname", f"{name}@notifications", "--queues", queues or QUEUES[name], "--pool=threads"]
    options = [f"--concurrency={THREADS[name]}", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with _celery(tmp_path, name, [*arguments, *options], environment) as process:
        yield process


@contextmanager
def beat(tmp_path: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run beat until the body ends."""
    arguments = ["beat", "--loglevel", "WARNING", "--schedule", str(tmp_path / "beat"), "--pidfile="]
    with _celery(tmp_path, "beat", arguments, environment) as process:
        yield process


@contextmanager
def _celery(
    tmp_path: Path, name: str, arguments: list[str], environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    heartbeat = tmp_path / f"notifications.{name}.heartbeat"
    with (tmp_path / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "notifications_service.config.celery", *arguments],
            cwd=ROOT,
            env={**environment_of_this_test(), "RUN_DIR": str(tmp_path), **environment},
            stderr=log,
            stdout=subprocess.DEVNULL,
        )
    try:
        eventually(lambda: heartbeat.exists() and heartbeat.read_text().startswith("ready"), timeout=60)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
