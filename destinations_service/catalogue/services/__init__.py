"""Every write of the catalogue: one module per thing that is written."""

from destinations_service.catalogue.services.authors import authored, by_staff
from destinations_service.catalogue.services.capacity import heal_cuts
from destinations_service.catalogue.services.departures import change_departure, schedule_departure
from destinations_service.catalogue.services.derived import refresh_costs
from destinations_service.catalogue.services.history import restore_destination, restore_trip
from destinations_service.catalogue.services.place_details import save_photos, save_prices
from destinations_service.catalogue.services.places import (
    check_place,
    delete_destination,
    lock_place,
    record_change,
    save_destination,
    write_place,
)
from destinations_service.catalogue.services.rates import check_new_rate, record_rates_change, update_rates
from destinations_service.catalogue.services.search_index import (
    refresh_search,
    refresh_search_of_trips,
    remove_from_search,
)
from destinations_service.catalogue.services.seats import copy_seats
from destinations_service.catalogue.services.slugs import check_slug, keep_addresses
from destinations_service.catalogue.services.tree import lock_tree
from destinations_service.catalogue.services.trip_writes import save_trip
from destinations_service.catalogue.services.trips import delete_trip, record_trip_change
from destinations_service.catalogue.services.versions import check_version, lock_version
from destinations_service.catalogue.services.visiting_times import save_visiting_times

__all__ = [
    "authored",
    "by_staff",
    "change_departure",
    "check_new_rate",
    "check_place",
    "check_slug",
    "check_version",
    "copy_seats",
    "delete_destination",
    "delete_trip",
    "heal_cuts",
    "keep_addresses",
    "lock_place",
    "lock_tree",
    "lock_version",
    "record_change",
    "record_rates_change",
    "record_trip_change",
    "refresh_costs",
    "refresh_search",
    "refresh_search_of_trips",
    "remove_from_search",
    "restore_destination",
    "restore_trip",
    "save_destination",
    "save_photos",
    "save_prices",
    "save_trip",
    "save_visiting_times",
    "schedule_departure",
    "update_rates",
    "write_place",
]
