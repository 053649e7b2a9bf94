"""Writing the catalogue: one module per thing that is written."""

from destinations_service.catalogue.services.departures import change_departure, schedule_departure
from destinations_service.catalogue.services.derived import refresh_costs, refresh_search
from destinations_service.catalogue.services.places import delete_destination, save_destination, touch_destination
from destinations_service.catalogue.services.seats import note_seats

__all__ = [
    "change_departure",
    "delete_destination",
    "note_seats",
    "refresh_costs",
    "refresh_search",
    "save_destination",
    "schedule_departure",
    "touch_destination",
]
