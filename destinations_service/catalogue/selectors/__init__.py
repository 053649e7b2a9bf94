"""Every read of the catalogue: by id and slug, by search, and as pages per parent."""

from destinations_service.catalogue.selectors.content import trip_contents, visiting_times
from destinations_service.catalogue.selectors.facets import tags
from destinations_service.catalogue.selectors.history import changes_of
from destinations_service.catalogue.selectors.lists import children_of, departures_of, trips_of
from destinations_service.catalogue.selectors.minimum_group import below_minimum
from destinations_service.catalogue.selectors.places import (
    average_prices,
    destination_version,
    destinations_by_key,
    exchange_rates,
    photos,
)
from destinations_service.catalogue.selectors.search import search, suggest
from destinations_service.catalogue.selectors.search_places import search_destinations
from destinations_service.catalogue.selectors.search_trips import search_trips
from destinations_service.catalogue.selectors.trips import (
    departure_for_quote,
    departures_by_id,
    trip_version,
    trips_by_key,
)

__all__ = [
    "average_prices",
    "below_minimum",
    "changes_of",
    "children_of",
    "departure_for_quote",
    "departures_by_id",
    "departures_of",
    "destination_version",
    "destinations_by_key",
    "exchange_rates",
    "photos",
    "search",
    "search_destinations",
    "search_trips",
    "suggest",
    "tags",
    "trip_contents",
    "trip_version",
    "trips_by_key",
    "trips_of",
    "visiting_times",
]
