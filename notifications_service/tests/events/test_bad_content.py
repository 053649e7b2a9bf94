"""An event whose content no release can handle is a dead letter after one attempt, and brakes nothing."""

import pytest
from google.protobuf.message import Message

from contracts.travel.events.v1.bookings_pb2 import BookingConfirmed, WaitlistOffered, WaitlistSnapshot
from contracts.travel.events.v1.users_pb2 import UserLinkRequested, UserPhoneCodeRequested
from notifications_service.billing.models import Invoice
from notifications_service.notifications.models import Notification
from notifications_service.tests.events.records import record
from notifications_service.tests.factories import confirmed, envelope, eur
from shared.cloudevents import BadEvent
from shared.events import event_type
from shared.ids import uuid7
from shared.inbox.effects import Effects
from shared.inbox.models import InboxMessage
from shared.kafka.handlers import registered

pytestmark = pytest.mark.django_db(transaction=True)

PERSON = uuid7()
BAD: dict[str, Message] = {
    "an id that is no UUID": confirmed(PERSON, booking_id="4711"),
    "no content": BookingConfirmed(),
    "no start": confirmed(PERSON, starts_at=None),
    "an unknown zone": confirmed(PERSON, time_zone="Lisbon"),
    "a zone that is a path": confirmed(PERSON, time_zone="../../etc/passwd"),
    "a start that its zone cannot show": confirmed(
        PERSON, starts_at={"seconds": -62135596800}, time_zone="America/Lima"
    ),
    "a reference longer than its column": confirmed(PERSON, reference="K" * 5_000),
    "a currency that is none": confirmed(PERSON, total={"minor_units": 1, "currency_code": "EUROS"}),
    "two currencies": confirmed(PERSON, total={"minor_units": 1, "currency_code": "JPY"}),
    "more money than there is": confirmed(PERSON, total=eur(2**63 - 1)),
    "an offer without a start": WaitlistOffered(entry=WaitlistSnapshot(traveller_id=str(PERSON))),
    "a link of nobody": UserLinkRequested(request_id=str(uuid7()), user_id="nobody", purpose=1),
    "a link request that is no UUID": UserLinkRequested(request_id="x" * 300, user_id=str(PERSON), purpose=1),
    "a code request that is no UUID": UserPhoneCodeRequested(request_id="?", user_id=str(PERSON)),
}


@pytest.mark.parametrize("message", BAD.values(), ids=BAD)
def test_bad_content_is_the_messages_fault_and_has_no_effect(message):
    """Seen failing (another exception, and so five attempts) without `parsing` and without the fault of a DataError."""
    effects = Effects(name="notifications", handlers=registered)

    with pytest.raises(BadEvent):
        effects.apply(record(envelope(message, key="k"), topic=event_type(message).topic))

    assert not Notification.objects.exists()
    assert not Invoice.objects.exists()
    assert not InboxMessage.objects.exists()
