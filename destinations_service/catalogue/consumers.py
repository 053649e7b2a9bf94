"""What bookings_service tells of seats. The handler runs once per event, in the transaction of its inbox row."""

from uuid import UUID

from contracts.travel.events.v1.bookings_pb2 import InventoryChanged
from destinations_service.catalogue.services import note_seats
from shared.kafka import Received, handles


@handles(InventoryChanged)
def on_inventory_changed(event: InventoryChanged, *, received: Received) -> None:
    """Take over the seats left, for filters and orders."""
    note_seats(
        departure_id=UUID(event.departure_id),
        seats_left=event.seats_available,
        seats_taken=event.held + event.sold,
        sequence=event.sequence,
    )
