"""The copy of seats left and popularity: what bookings_service tells, in its order."""

from uuid import UUID

from django.db.models import F

from destinations_service.catalogue.models import Departure, Destination, Trip


def note_seats(*, departure_id: UUID, seats_left: int, seats_taken: int, sequence: int) -> bool:
    """Take over a departure's seats where `sequence` is newer; return whether it was. Popularity counts the seats taken.

    Inside the caller's transaction.
    """
    row = (
        Departure.objects.select_for_update(of=("self",))
        .select_related("trip__destination")
        .filter(id=departure_id)
        .first()
    )
    if row is None or sequence <= row.seats_sequence:
        return False
    more = seats_taken - row.seats_taken
    Departure.objects.filter(id=departure_id).update(
        seats_left=seats_left, seats_taken=seats_taken, seats_sequence=sequence
    )
    if more:
        place = row.trip.destination
        Trip.objects.filter(id=row.trip_id).update(popularity=F("popularity") + more)
        for destination_id in sorted(
            [place.id, *place.ancestors]
        ):  # in one order, so that two of them never wait for each other
            Destination.objects.filter(id=destination_id).update(popularity=F("popularity") + more)
    return True
