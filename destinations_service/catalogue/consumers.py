"""Handlers of bookings_service's events. Each runs once per event, in the transaction of its inbox row."""

from uuid import UUID

from contracts.travel.events.v1.bookings_pb2 import InventoryChanged
from destinations_service.catalogue.services import copy_seats
from shared.kafka import Received, handles, parsing


@handles(InventoryChanged)
def on_inventory_changed(event: InventoryChanged, *, received: Received) -> None:
    """Copy the departure's free seats, which filters and orders use."""
    with parsing():
        departure_id = UUID(event.departure_id)
    copy_seats(
        departure_id=departure_id,
        free_seats=event.seats_available,
        seats_taken=event.held + event.sold,
        sequence=event.sequence,
    )
