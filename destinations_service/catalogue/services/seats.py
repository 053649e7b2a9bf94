"""The copy of free seats and popularity, which follows the events of bookings_service in their order."""

from uuid import UUID

from django.db.models import F

from destinations_service.catalogue.models import Departure, Destination, SearchEntry, Trip
from shared.errors import Unavailable


def copy_seats(*, departure_id: UUID, free_seats: int, seats_taken: int, sequence: int) -> bool:
    """Copy a departure's seats if `sequence` is newer than the copy. Return whether it was.

    Popularity of the trip and of every place above it counts the seats taken. Call it inside a transaction. Raises
    Unavailable if the place moves at this moment.
    """
    departure = (
        Departure.objects.select_for_update(of=("self",))
        .select_related("trip__destination")
        .filter(id=departure_id)
        .first()
    )
    if departure is None or sequence <= departure.seats_sequence:
        return False
    newly_taken = seats_taken - departure.seats_taken
    Departure.objects.filter(id=departure_id).update(
        seats_left=free_seats, seats_taken=seats_taken, seats_sequence=sequence
    )
    if newly_taken:
        place = departure.trip.destination
        Trip.objects.filter(id=departure.trip_id).update(popularity=F("popularity") + newly_taken)
        SearchEntry.objects.filter(id=departure.trip_id).update(popularity=F("popularity") + newly_taken)
        # Always in the same order: two transactions that update the same places could otherwise deadlock.
        for destination_id in sorted([place.id, *place.ancestors]):
            rows = Destination.objects.filter(id=destination_id)
            if destination_id == place.id:
                rows = rows.filter(ancestors=place.ancestors)
            if not rows.update(popularity=F("popularity") + newly_taken) and destination_id == place.id:
                raise Unavailable  # the place moved after it was read: the event comes again
            SearchEntry.objects.filter(id=destination_id).update(popularity=F("popularity") + newly_taken)
    return True
