"""A lock on the letters of one key delays that key, and neither ends the consumer nor holds other keys back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import structlog
from django.db import connection, transaction

from notifications_service.tests.events.poison import BOOKING, good
from notifications_service.tests.events.records import Handler
from notifications_service.tests.integration.test_consumer import running
from shared.events import topic_name
from shared.ids import uuid7
from shared.inbox import letters, resolving
from shared.inbox.models import DeadLetter
from shared.testing import eventually
from shared.testing.kafka import put_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics", "valkey")]


@contextmanager
def locked(key: str) -> Iterator[None]:
    """Hold the lock of the key's letters in another transaction, longer than PostgreSQL lets the consumer wait."""
    release, held = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                letters.lock_key(consumer="notifications", topic=topic_name(BOOKING), key=key)
                held.set()
                release.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join(10)


def test_a_letter_that_cannot_be_kept_yet_is_kept_later():
    """Seen failing (the consumer ended with a lock timeout) when a worker raised that error."""
    handler, key, other = Handler(), str(uuid7()), str(uuid7())
    with structlog.testing.capture_logs() as logs, running(handler.handlers) as ended:
        with locked(key):
            put_event(BOOKING, replace(good(key=key, sequence=1), value=b"no json"))
            put_event(BOOKING, good(key=other, sequence=1))
            eventually(lambda: handler.done.get(other) == [1], timeout=30)
            eventually(lambda: "dead_letter_not_kept" in [line["event"] for line in logs] or ended, timeout=30)
        eventually(lambda: DeadLetter.objects.filter(key=key, status="DEAD").exists() or ended, timeout=30)

    assert ended == []
    assert DeadLetter.objects.get(key=key).fault == "MESSAGE"


def test_a_retry_that_waits_for_a_lock_is_done_later():
    """Seen failing (the consumer ended with a lock timeout) when the housekeeper raised that error."""
    handler, key = Handler(), str(uuid7())
    handler.refused.add(key)
    with structlog.testing.capture_logs() as logs, running(handler.handlers) as ended:
        put_event(BOOKING, good(key=key, sequence=1))
        eventually(lambda: DeadLetter.objects.filter(key=key, status="DEAD").exists(), timeout=30)
        handler.refused.clear()
        resolving.retry(dead_letter_id=DeadLetter.objects.get().id, by="staff")
        with locked(key):
            eventually(lambda: "housekeeping_failed" in [line["event"] for line in logs] or ended, timeout=30)
        eventually(lambda: handler.done.get(key) == [1] or ended, timeout=30)

    assert ended == []
    assert DeadLetter.objects.get().status == "RETRIED"
