"""The sequences of what a gateway process watches, asked for every two seconds while Kafka is away."""

from typing import Final

from bookings_service.bookings import selectors
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from shared.errors import Invalid
from shared.rpc.mapping import uuid_of, uuids_of

MOST_IDS: Final = 1_000
PAGE: Final = 5_000


def present(request: pb.BatchGetSequencesRequest) -> pb.BatchGetSequencesResponse:
    """Return one page of sequences. Raises Invalid for more than MOST_IDS ids, or for a malformed id."""
    if len(request.booking_ids) + len(request.traveller_ids) + len(request.departure_ids) > MOST_IDS:
        raise Invalid(field="ids", most=MOST_IDS)
    bookings, has_more = selectors.booking_sequences(
        booking_ids=uuids_of(request.booking_ids, "booking_ids"),
        traveller_ids=uuids_of(request.traveller_ids, "traveller_ids"),
        after=uuid_of(request.after_booking_id, "after_booking_id") if request.after_booking_id else None,
        limit=PAGE,
    )
    departures = selectors.departure_sequences(departure_ids=uuids_of(request.departure_ids, "departure_ids"))
    return pb.BatchGetSequencesResponse(
        bookings=[
            pb.BookingSequence(
                booking_id=str(row.booking_id), traveller_id=str(row.traveller_id), sequence=row.sequence
            )
            for row in bookings
        ],
        departures=[
            pb.DepartureSequence(
                departure_id=str(row.departure_id), sequence=row.sequence, seats_available=row.free_seats
            )
            for row in departures
        ],
        has_more_bookings=has_more,
    )
