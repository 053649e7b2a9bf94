"""The tables of the catalogue, with the constraints that the database enforces."""

from destinations_service.catalogue.models.history import history_of
from destinations_service.catalogue.models.imports import ImportedPlace, ImportRun
from destinations_service.catalogue.models.places import (
    AveragePrice,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    OpeningHours,
    Photo,
    SlugRedirect,
)
from destinations_service.catalogue.models.search import PlaceName, SearchEntry, SearchPosting, SearchWord
from destinations_service.catalogue.models.trips import (
    CancellationRule,
    Departure,
    DepartureStatus,
    ItineraryDay,
    ItineraryDayTranslation,
    Trip,
    TripTranslation,
)

__all__ = [
    "AveragePrice",
    "CancellationRule",
    "Departure",
    "DepartureStatus",
    "Destination",
    "DestinationTranslation",
    "ExchangeRate",
    "ImportRun",
    "ImportedPlace",
    "ItineraryDay",
    "ItineraryDayTranslation",
    "OpeningHours",
    "Photo",
    "PlaceName",
    "SearchEntry",
    "SearchPosting",
    "SearchWord",
    "SlugRedirect",
    "Trip",
    "TripTranslation",
    "history_of",
]
