"""SIGSTOP at each failpoint of a delivery, past the lease, then SIGCONT: real worker processes.

While the first worker is frozen, a second one delivers. At most one SMS goes out, and mails have one Message-ID.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models.functions import Now

from notifications_service.notifications import services
from notifications_service.notifications.models import Notification
from notifications_service.tests.factories import confirmed, handle
from notifications_service.tests.workers import channels, worker
from shared.failpoints import FAILPOINTS
from shared.outbox.models import OutboxEvent
from shared.testing import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@dataclass(frozen=True)
class Outcome:
    """What is true at the end: how many messages went out, of them after the SIGCONT, the status and the attempts."""

    messages: int
    after_waking: int
    status: str
    attempts: tuple[str, ...]


BY_SUCCESSOR = Outcome(1, 0, "SENT", ("LOST", "SENT"))
CASES = {
    ("delivery.claimed", "EMAIL"): BY_SUCCESSOR,
    ("mail.offered", "EMAIL"): BY_SUCCESSOR,
    ("mail.accepted", "EMAIL"): Outcome(2, 0, "SENT", ("LOST", "SENT")),
    ("delivery.claimed", "SMS"): BY_SUCCESSOR,
    ("sms.written", "SMS"): BY_SUCCESSOR,
    ("sms.handed", "SMS"): Outcome(1, 1, "FAILED", ("FAILED",)),
    ("sms.accepted", "SMS"): Outcome(1, 0, "FAILED", ("FAILED",)),
}


def test_every_failpoint_of_a_delivery_has_a_case():
    """A new failpoint needs a case in this file."""
    named = {name for name in FAILPOINTS if name.startswith(("delivery.", "mail.", "sms."))}

    assert {name for name, _ in CASES} == named


def only(channel: str, person_id: UUID) -> Notification:
    """Commit the notification of a confirmation over this channel only, which wakes the worker."""
    with transaction.atomic():
        handle(confirmed(person_id))
        Notification.objects.exclude(channel=channel).delete()
    return Notification.objects.get()


def sent_sms(folder: Path) -> list[int]:
    """Return the inode of each SMS. Sending one again replaces its file by another."""
    return [file.stat().st_ino for file in folder.glob("*.json")]


@pytest.mark.parametrize(("failpoint", "channel"), list(CASES), ids=lambda value: value)
def test_a_frozen_worker_sends_nothing_that_its_successor_sent(
    users, mailbox, sms_folder, settings, tmp_path, failpoint, channel
):
    """Seen failing without the number of the attempt in `first_attempts`: a second `sent` event.

    Seen failing without the lease in `_lock_in_time` (sms.written: two SMS), without the look at GIVEN_TO_PROVIDER in
    the claim (sms.handed and sms.accepted: two SMS), and without `proceed` (mail.offered: two mails).
    """
    settings.NOTIFICATIONS_LEASE_SECONDS = 2
    expected = CASES[failpoint, channel]
    environment = {
        "NOTIFICATIONS_LEASE_SECONDS": "2",
        "FAILPOINT": failpoint,
        "FAILPOINT_ACTION": "stop",
        "FAILPOINT_DIR": str(tmp_path),
        "DEBUG": "true",
    }
    with worker(tmp_path, **channels(sms_folder), **environment) as first:
        row = only(channel, users.add())
        try:
            eventually(lambda: (tmp_path / failpoint).exists(), timeout=30)
            eventually(lambda: Notification.objects.filter(id=row.id, leased_until__lt=Now()).exists(), timeout=10)
            services.deliver(notification_id=row.id)
            mails, files = len(mailbox.mails), sent_sms(sms_folder)
        finally:
            os.kill(first.pid, signal.SIGCONT)
        eventually(lambda: "attempt_outdated" in (tmp_path / "worker.log").read_text(), timeout=10)

    row.refresh_from_db()
    assert row.status == expected.status
    assert tuple(row.deliveries.order_by("number").values_list("outcome", flat=True)) == expected.attempts
    if channel == "EMAIL":
        assert (len(mailbox.mails), len(mailbox.mails) - mails) == (expected.messages, expected.after_waking)
        assert {mail["Message-ID"] for mail in mailbox.mails} == {f"<{row.id}@travel.example>"}
    else:
        assert len(sent_sms(sms_folder)) == expected.messages
        assert (sent_sms(sms_folder) == files) is (expected.after_waking == 0)
    events = OutboxEvent.objects.filter(key=str(row.id)).values_list("type", flat=True)
    assert list(events) == [f"travel.notifications.notification.{expected.status.lower()}.v1"]
