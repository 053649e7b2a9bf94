"""The two feeds read the topics that the catalogue of events says every gateway process reads."""

from gateway_service.gateway.live.catalogue_feed import DEPARTURES_TOPIC, DESTINATIONS_TOPIC
from gateway_service.gateway.live.feed import BOOKINGS_TOPIC, INVENTORY_TOPIC
from shared.events import BROADCASTS, EVENTS


def test_the_feeds_read_the_topics_of_the_catalogue() -> None:
    """Seen failing without travel.bookings.inventory in the catalogue's list for the gateway."""
    declared = {EVENTS[message].topic for message in BROADCASTS["every gateway process"]}

    assert declared == {BOOKINGS_TOPIC, INVENTORY_TOPIC, DEPARTURES_TOPIC, DESTINATIONS_TOPIC}
