"""Celery on a real broker: what the worker runs, what it refuses unread, and what the sweep finds."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from notifications_service.config.celery import app
from notifications_service.notifications import services, tasks
from notifications_service.notifications.models import Notification
from notifications_service.tests.factories import confirmed, handle
from shared.ids import uuid7
from shared.testing import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ROOT = Path(__file__).resolve().parents[3]


def environment_of_this_test() -> dict[str, str]:
    """Return the environment of another process on this test's database and broker."""
    held = connection.settings_dict
    url = f"postgres://{held['USER']}:{held['PASSWORD']}@{held['HOST']}:{held['PORT']}/{held['NAME']}"
    return {**os.environ, "NOTIFICATIONS_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}


@contextmanager
def worker(tmp_path: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker as the process table does, on this test's database and broker."""
    command = [sys.executable, "-m", "celery", "-A", "notifications_service.config.celery", "worker"]
    options = ["--pool", "threads", "--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env={**environment_of_this_test(), "RUN_DIR": str(tmp_path), **environment},
        stderr=(tmp_path / "worker.log").open("wb"),
        stdout=subprocess.DEVNULL,
    )
    try:
        heartbeat = tmp_path / "notifications.worker.heartbeat"
        eventually(lambda: heartbeat.exists() and heartbeat.read_text().startswith("ready"), timeout=30)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def delivering(settings, mailbox, sms_folder) -> dict[str, str]:
    """Return the environment in which another process finds this test's mail server and folder."""
    return {"EMAIL_URL": f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}", "SMS_DIR": str(sms_folder)}


def booked(person_id):
    with transaction.atomic():
        return handle(confirmed(person_id))


def test_the_worker_sends_what_a_commit_enqueued(users, mailbox, settings, sms_folder, tmp_path):
    with worker(tmp_path, **delivering(settings, mailbox, sms_folder)):
        booked(users.add())

        eventually(lambda: Notification.objects.filter(status="SENT").count() == 2, timeout=20)

    assert len(mailbox.mails) == 1
    assert not (tmp_path / "notifications.worker.heartbeat").exists()


def test_a_pickled_message_is_rejected_unread(users, mailbox, settings, sms_folder, tmp_path):
    """Abuse case 60. The payload would write a file; the worker goes on with the next message."""
    target = tmp_path / "pwned"

    class Payload:
        def __reduce__(self):
            return (Path.write_text, (target, "pwned"))

    with worker(tmp_path, **delivering(settings, mailbox, sms_folder)):
        with app.producer_pool.acquire() as producer:
            producer.publish(
                pickle.dumps(((), {"notification_id": Payload()}, {})),
                content_type="application/x-python-serialize",
                content_encoding="binary",
                routing_key="notifications",
                exchange="",
                headers={
                    "task": "notifications.deliver",
                    "id": str(uuid7()),
                    "lang": "py",
                    "argsrepr": "",
                    "kwargsrepr": "",
                },
            )
        booked(users.add())
        eventually(lambda: Notification.objects.filter(status="SENT").count() == 2, timeout=20)

    assert not target.exists()
    assert "Refusing" in (tmp_path / "worker.log").read_text() or "untrusted" in (tmp_path / "worker.log").read_text()


def test_a_worker_killed_while_sending_is_made_up_for(users, mailbox, settings, sms_folder, tmp_path):
    """Abuse case 60, by kill -9: whatever it had begun arrives, and only ever under its own Message-ID."""
    where = delivering(settings, mailbox, sms_folder)
    rows = []
    with worker(tmp_path, **where) as process:
        rows = [booked(users.add())[0] for _ in range(6)]
        eventually(lambda: len(mailbox.mails) >= 1, timeout=20)
        process.kill()
    Notification.objects.filter(status="SENDING").update(leased_until=datetime.now(UTC) - timedelta(seconds=1))
    Notification.objects.filter(status="PENDING").update(next_attempt_at=datetime.now(UTC) - timedelta(minutes=1))
    second = tmp_path / "second"
    second.mkdir()
    with worker(second, **where):
        tasks.sweep()
        eventually(lambda: not Notification.objects.filter(channel="EMAIL").exclude(status="SENT").exists(), timeout=30)

    assert {mail["Message-ID"] for mail in mailbox.mails} == {f"<{row.id}@travel.example>" for row in rows}


SIX_COMMITS = """
import django; django.setup()
from uuid import UUID
from django.db import transaction
from notifications_service.tests.factories import confirmed, handle
for _ in range(6):
    with transaction.atomic():
        handle(confirmed(UUID(int=7)))
"""


def test_a_broker_away_delays_but_loses_nothing():
    """Every commit stands, the broker is asked once and then left alone, and the sweep finds what was not enqueued."""
    environment = {**environment_of_this_test(), "REDIS_URL": "redis://127.0.0.1:1/0"}

    subprocess.run([sys.executable, "-c", SIX_COMMITS], cwd=ROOT, env=environment, check=True, timeout=15)

    assert Notification.objects.filter(status="PENDING").count() == 12
    Notification.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(minutes=1))
    assert len(services.due()) == 12
