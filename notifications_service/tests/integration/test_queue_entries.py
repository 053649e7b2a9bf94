"""Whatever lies in a queue of Valkey, a worker goes on with the next entry."""

import json
from typing import Any

import pytest
from django.db import transaction

from notifications_service.config.celery import app
from notifications_service.notifications.models import Notification
from notifications_service.notifications.queues import Queue
from notifications_service.tests.factories import confirmed, handle
from notifications_service.tests.workers import channels, worker
from shared.ids import uuid7
from shared.testing import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def entry(*, headers: Any = None, **fields: Any) -> str:
    """Return a message of Celery's as an entry of the queue, with these headers and fields instead of its own."""
    tag = str(uuid7())
    delivery = {"exchange": "", "routing_key": Queue.DOCUMENTS.value}
    message = {
        "body": json.dumps([[], {"notification_id": str(uuid7())}, {}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": "notifications.deliver", "id": tag, "lang": "py"} | (headers or {}),
        "properties": {"delivery_tag": tag, "delivery_info": delivery},
        **fields,
    }
    return json.dumps(message)


NO_MESSAGES = (
    *("", "{", "5", "null", "[]", '"text"', "{}", '{"properties": null}', '{"properties": {}}'),
    entry(properties=None),
    entry(headers={"expires": "yesterday", "eta": 5}),
    entry(headers={"timelimit": 5}),
    entry(headers={"retries": [], "stamps": 5, "stamped_headers": 5}),
    entry(body=5),
    entry(body="{"),
    entry(body="[" * 100_000),
    entry(body='{"task": "notifications.deliver", "id": 5, "args": 3, "kwargs": []}'),
    *[entry(headers={"compression": "application/x-gzip"}) for _ in range(10)],
    entry(**{"content-encoding": "none"}),
    entry(**{"content-type": 5}),
)


def test_a_worker_drops_what_is_no_message(users, mailbox, sms_folder, tmp_path):
    """Seen failing (the worker ended: JSONDecodeError) with the transport of kombu."""
    with app.connection_for_write() as connection:
        for content in NO_MESSAGES:
            connection.default_channel.client.lpush(Queue.DOCUMENTS.value, content)

    with worker(tmp_path, **channels(sms_folder)) as process:
        with transaction.atomic():
            handle(confirmed(users.add()))

        eventually(lambda: Notification.objects.filter(channel="EMAIL", status="SENT").count() == 1, timeout=20)
        assert process.poll() is None
    assert "queue_entry_dropped" in (tmp_path / "worker.log").read_text()
