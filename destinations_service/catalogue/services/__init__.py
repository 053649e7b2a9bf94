"""Every write of the catalogue: one module per thing that is written."""

from destinations_service.catalogue.services.authors import authored, by_staff
from destinations_service.catalogue.services.departures import change_departure, schedule_departure
from destinations_service.catalogue.services.derived import refresh_costs, refresh_search
from destinations_service.catalogue.services.places import (
    delete_destination,
    place_in_tree,
    record_change,
    save_destination,
)
from destinations_service.catalogue.services.rates import record_rates_change
from destinations_service.catalogue.services.seats import copy_seats
from destinations_service.catalogue.services.trips import delete_trip, record_trip_change
from destinations_service.catalogue.services.versions import check_version, lock_version

__all__ = [
    "authored",
    "by_staff",
    "change_departure",
    "check_version",
    "copy_seats",
    "delete_destination",
    "delete_trip",
    "lock_version",
    "place_in_tree",
    "record_change",
    "record_rates_change",
    "record_trip_change",
    "refresh_costs",
    "refresh_search",
    "save_destination",
    "schedule_departure",
]
