"""The live feed reads the topics that the catalogue of events says it reads."""

from gateway_service.gateway.live.feed import BOOKINGS_TOPIC, INVENTORY_TOPIC
from shared.events import BROADCASTS, EVENTS


def test_the_feed_reads_the_topics_of_the_catalogue() -> None:
    """Seen failing without travel.bookings.inventory in the catalogue's list for the gateway."""
    declared = {EVENTS[message].topic for message in BROADCASTS["every gateway process"]}

    assert declared == {BOOKINGS_TOPIC, INVENTORY_TOPIC}
