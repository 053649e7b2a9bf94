"""Celery on a real broker: the tasks that a worker runs, the messages that it refuses, and the sweep."""

import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction

from notifications_service.config.celery import app
from notifications_service.notifications import services, tasks
from notifications_service.notifications.models import Notification
from notifications_service.notifications.queues import Queue
from notifications_service.tests.factories import confirmed, handle
from notifications_service.tests.workers import ROOT, channels, environment_of_this_test, worker
from shared.ids import uuid7
from shared.testing import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def booked(person_id):
    with transaction.atomic():
        return handle(confirmed(person_id))


def test_the_worker_sends_notifications_enqueued_by_a_commit(users, mailbox, sms_folder, tmp_path):
    with worker(tmp_path, **channels(sms_folder)):
        booked(users.add())

        eventually(lambda: Notification.objects.filter(status="SENT").count() == 2, timeout=20)

    assert len(mailbox.mails) == 1
    assert not (tmp_path / "notifications.worker.heartbeat").exists()


@pytest.mark.parametrize("queue", list(Queue))
def test_a_pickled_message_is_rejected_unread(queue, users, mailbox, sms_folder, tmp_path):
    """Unpickling the payload would write a file. The worker goes on with the next message."""
    target = tmp_path / "pwned"

    class Payload:
        def __reduce__(self):
            return (Path.write_text, (target, "pwned"))

    with worker(tmp_path, queues=",".join(Queue), **channels(sms_folder)):
        with app.producer_pool.acquire() as producer:
            producer.publish(
                pickle.dumps(((), {"notification_id": Payload()}, {})),
                content_type="application/x-python-serialize",
                content_encoding="binary",
                routing_key=queue.value,
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


def test_another_worker_completes_what_a_killed_one_began(users, mailbox, sms_folder, tmp_path):
    """After kill -9, every mail arrives, and only under its own Message-ID."""
    environment = channels(sms_folder)
    rows = []
    with worker(tmp_path, **environment) as process:
        rows = [booked(users.add())[0] for _ in range(6)]
        eventually(lambda: len(mailbox.mails) >= 1, timeout=20)
        process.kill()
    Notification.objects.filter(status="SENDING").update(leased_until=datetime.now(UTC) - timedelta(seconds=1))
    Notification.objects.filter(status="PENDING").update(next_attempt_at=datetime.now(UTC) - timedelta(minutes=1))
    second = tmp_path / "second"
    second.mkdir()
    with worker(second, **environment):
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


def test_without_a_broker_notifications_are_late_but_not_lost():
    """Every commit succeeds, the broker is asked only once, and the sweep finds every notification."""
    environment = {**environment_of_this_test(), "REDIS_URL": "redis://127.0.0.1:1/0"}

    subprocess.run([sys.executable, "-c", SIX_COMMITS], cwd=ROOT, env=environment, check=True, timeout=15)

    assert Notification.objects.filter(status="PENDING").count() == 12
    Notification.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(minutes=1))
    assert len(services.overdue(Queue.DOCUMENTS) + services.overdue(Queue.SMS)) == 12
