"""Which queue each notification goes into."""

import pytest

from notifications_service.notifications.domain import POLICIES, Channel, Kind
from notifications_service.notifications.queues import URGENT_KINDS, Queue, queue_of


@pytest.mark.parametrize("kind", sorted(URGENT_KINDS))
def test_messages_that_somebody_waits_for_are_urgent_on_each_of_their_channels(kind):
    queues = {queue_of(kind=kind, channel=channel, has_document=False) for channel in POLICIES[kind].channels}

    assert queues == {Queue.URGENT}


def test_other_messages_go_by_channel_and_document():
    def queue(channel: Channel, *, has_document: bool) -> Queue:
        return queue_of(kind=Kind.BOOKING_CONFIRMED, channel=channel, has_document=has_document)

    assert queue(Channel.EMAIL, has_document=True) is Queue.DOCUMENTS
    assert queue(Channel.EMAIL, has_document=False) is Queue.MAIL
    assert queue(Channel.SMS, has_document=True) is Queue.SMS
