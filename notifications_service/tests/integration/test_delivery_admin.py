"""The admin of delivery: paused channels, undeliverable addresses, and who decided about them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry

from notifications_service.notifications.domain import Channel
from notifications_service.notifications.groups import grant_permissions
from notifications_service.notifications.models import Notification, PausedChannel, Undeliverable
from notifications_service.notifications.services import undeliverable
from notifications_service.tests.factories import confirmed, handle
from notifications_service.tests.integration.test_admin import signed_in
from shared.ids import uuid7

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

PAUSED = "/admin/notifications/pausedchannel/"
UNDELIVERABLE = "/admin/notifications/undeliverable/"


@pytest.fixture(autouse=True)
def rows() -> None:
    """Pause the mails, and refuse an address."""
    grant_permissions(None)
    in_a_minute = datetime.now(UTC) + timedelta(minutes=1)
    PausedChannel.objects.create(channel="EMAIL", cause="<b>AUTH: 535</b>", next_probe_at=in_a_minute)
    undeliverable.add(person_id=uuid7(), channel=Channel.EMAIL, address="ann@example.org", cause="RCPT: 550")


def test_support_sees_and_decides():
    support = signed_in("support")
    address = Undeliverable.objects.get()

    for path in (PAUSED, f"{PAUSED}EMAIL/change/", UNDELIVERABLE, f"{UNDELIVERABLE}{address.id}/change/"):
        page = support.get(path)
        assert page.status_code == 200, path
        assert b"<b>AUTH" not in page.content
        assert address.digest.encode() not in page.content

    support.post(PAUSED, {"action": "probe", "_selected_action": ["EMAIL"]})
    assert PausedChannel.objects.get().next_probe_at <= datetime.now(UTC)
    support.post(PAUSED, {"action": "resume", "_selected_action": ["EMAIL"]})
    support.post(UNDELIVERABLE, {"action": "lift", "_selected_action": [address.id]})

    assert not PausedChannel.objects.exists()
    assert not Undeliverable.objects.exists()
    entries = LogEntry.objects.order_by("id").values_list("user__username", "object_id", "change_message")
    assert list(entries) == [
        ("('support',)@travel.example", "EMAIL", "Probed by hand."),
        ("('support',)@travel.example", "EMAIL", "Resumed by hand."),
        ("('support',)@travel.example", str(address.id), "Freed by hand."),
    ]


def test_other_staff_see_and_do_not_decide():
    """Seen failing (the row gone) without the permission of the action."""
    agent = signed_in("booking_agent")
    assert agent.get(PAUSED).status_code == 200

    agent.post(PAUSED, {"action": "resume", "_selected_action": ["EMAIL"]})
    agent.post(UNDELIVERABLE, {"action": "lift", "_selected_action": [Undeliverable.objects.get().id]})
    agent.post(f"{PAUSED}EMAIL/delete/", {"post": "yes"})

    assert PausedChannel.objects.exists()
    assert Undeliverable.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_notification_shows_its_failures_and_its_latest_time():
    row = handle(confirmed(uuid7()))[0]
    Notification.objects.filter(id=row.id).update(failures=7, not_after=datetime(2031, 5, 4, 3, tzinfo=UTC))

    page = signed_in("support").get(f"/admin/notifications/notification/{row.id}/change/").content.decode()

    assert "May 4, 2031" in page
    assert "Failures" in page
