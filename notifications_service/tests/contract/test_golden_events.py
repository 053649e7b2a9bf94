"""Every golden sample of an event that this service consumes passes its handler unchanged."""

import json
from pathlib import Path

import pytest
from django.db import transaction
from google.protobuf import json_format

from notifications_service.notifications.models import Notification
from notifications_service.tests.factories import handle
from shared.events import EVENTS, message_class
from shared.inbox.models import DeadLetter
from shared.kafka.handlers import registered

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "contract" / "golden"
SAMPLES = sorted(path for message in registered for path in (GOLDEN / EVENTS[message].type).glob("*.json"))


def test_every_handled_event_has_a_sample():
    assert {path.parent.name for path in SAMPLES} == {EVENTS[message].type for message in registered}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("path", SAMPLES, ids=[f"{path.parent.name}/{path.stem}" for path in SAMPLES])
def test_a_sample_is_handled(path):
    sample = json.loads(path.read_text())
    message = message_class(path.parent.name)()
    json_format.ParseDict(sample.get("value", sample), message)

    with transaction.atomic():
        notifications = handle(message)

    assert len(notifications) == Notification.objects.count()
    assert DeadLetter.objects.count() == 0
