"""The answers of an SMS provider: an SMS is tried again only if it was certainly not accepted."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from notifications_service.notifications import services
from notifications_service.notifications.channels import sms
from notifications_service.notifications.channels.faults import (
    AddressRefused,
    ChannelUnusable,
    MessageRefused,
    OutcomeUnknown,
    TryLater,
)
from notifications_service.notifications.models import Notification, PausedChannel, Undeliverable
from notifications_service.tests.factories import confirmed, handle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

NUMBER = "+33612345678"


@dataclass
class Provider:
    """A provider that answers as the test says, and then accepts."""

    answers: list[Exception] = field(default_factory=list)
    calls: int = 0

    def send(self, **_) -> None:
        self.calls += 1
        if self.answers:
            raise self.answers.pop(0)


@pytest.fixture
def provider(monkeypatch) -> Provider:
    """Install the provider."""
    double = Provider()
    monkeypatch.setattr(sms, "provider", lambda: double)
    return double


@pytest.fixture
def row(users) -> Notification:
    """Return the SMS of a confirmation that is due."""
    return handle(confirmed(users.add()))[1]


def deliver_twice(row: Notification) -> str:
    """Deliver the SMS, and again when it is due. Return the status after the first attempt."""
    services.deliver(notification_id=row.id)
    row.refresh_from_db()
    first = row.status
    Notification.objects.filter(id=row.id).update(next_attempt_at=datetime.now(UTC))
    PausedChannel.objects.update(next_probe_at=datetime.now(UTC))
    services.deliver(notification_id=row.id)
    row.refresh_from_db()
    return first


def test_a_passing_refusal_is_tried_again(row, provider):
    """Seen failing (FAILED, one call) while every error of the provider was final."""
    provider.answers.append(TryLater("429"))

    assert deliver_twice(row) == "PENDING"
    assert (row.status, row.failures, provider.calls) == ("SENT", 1, 2)


def test_our_fault_pauses_the_channel(row, provider):
    provider.answers.append(ChannelUnusable("401"))

    assert deliver_twice(row) == "PENDING"
    assert (row.status, row.failures, provider.calls) == ("SENT", 0, 2)
    assert not PausedChannel.objects.exists()


@pytest.mark.parametrize("answer", [OutcomeUnknown("timeout"), TimeoutError(), ValueError("bad JSON")])
def test_an_unknown_outcome_is_never_tried_again(row, provider, answer):
    provider.answers.append(answer)

    assert deliver_twice(row) == "FAILED"
    assert (row.status, provider.calls) == ("FAILED", 1)
    assert row.cause.startswith("OutcomeUnknown: ")


def test_a_refused_number_gets_nothing_more(row, provider):
    provider.answers.append(AddressRefused("21614", address=NUMBER))

    assert deliver_twice(row) == "FAILED"
    assert Undeliverable.objects.get().channel == "SMS"
    later = handle(confirmed(row.person_id))[1]
    services.deliver(notification_id=later.id)
    later.refresh_from_db()
    assert (later.status, provider.calls) == ("SUPPRESSED", 1)


def test_a_refused_sms_says_nothing_about_the_number(row, provider):
    provider.answers.append(MessageRefused("30007"))

    assert deliver_twice(row) == "FAILED"
    assert not Undeliverable.objects.exists()


def test_a_folder_that_cannot_be_written_is_our_fault(row, settings, tmp_path):
    """Seen failing (FAILED for good) while every OSError was final."""
    (tmp_path / "file").write_text("")
    settings.SMS_DIR = str(tmp_path / "file")

    services.deliver(notification_id=row.id)

    row.refresh_from_db()
    assert (row.status, row.failures) == ("PENDING", 0)
    assert PausedChannel.objects.get().cause.startswith("ChannelUnusable: SMS_DIR cannot be written")


def test_a_file_that_may_have_its_name_is_unknown(row, sms_folder):
    (sms_folder / f"{row.id}.json" / "in the way").mkdir(parents=True)

    services.deliver(notification_id=row.id)

    row.refresh_from_db()
    assert row.status == "FAILED"
    assert row.cause.startswith("OutcomeUnknown")
