"""The relay puts the catalogue's mark on the wire, so that a consumer knows which unknown types it must not skip."""

from datetime import UTC, datetime

import pytest

from bookings_service.tests.integration.events.support import BOOKING, delivered, relaying
from shared.ids import uuid7
from shared.outbox.models import OutboxEvent
from shared.testing import eventually
from shared.testing.kafka import events_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kafka_topics")]


@pytest.mark.parametrize(
    ("type_", "required"),
    [
        ("travel.bookings.booking.confirmed.v1", True),
        ("travel.bookings.booking.created.v1", False),
        ("travel.bookings.booking.of_a_newer_release.v1", True),
    ],
)
def test_the_mark_of_the_catalogue_is_on_the_wire(type_: str, required: bool) -> None:
    """Seen failing while the relay took a type that it does not know as not required."""
    key = uuid7()
    OutboxEvent.objects.create(
        type=type_, topic=BOOKING, key=str(key), sequence=1, value="{}", occurred_at=datetime.now(UTC)
    )

    with relaying():
        (event,) = events_of(BOOKING, str(key), count=1)
        eventually(delivered)

    assert (event.type, event.required) == (type_, required)
