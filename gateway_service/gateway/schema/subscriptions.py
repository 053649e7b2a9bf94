"""The fields of Subscription."""

import re
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from typing import Final

import graphene

from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.ids import raw_id
from gateway_service.gateway.live.follow import Update, follow_booking, follow_bookings, follow_seats
from gateway_service.gateway.schema.base import Info, MessageObject
from gateway_service.gateway.schema.bookings import MAX_SEQUENCE, Booking, BookingEvent, sequence_of
from gateway_service.gateway.schema.catalogue import Departure
from shared.errors import Invalid, NotFound

MAX_KNOWN: Final = 500
_COULD_BE_REFERENCE: Final = re.compile(r"[0-9A-Z]{8}")  # bookings_service uses fewer letters


class BookingUpdate(MessageObject):
    booking = graphene.Field(Booking, required=True)
    event = graphene.Field(BookingEvent, required=True)


@dataclass(frozen=True, slots=True)
class SeatsUpdate:
    """A departure and its free seats, None if they are not known."""

    departure: destinations_pb2.Departure
    seats: int | None

    @property
    def identity(self) -> Hashable:
        """What tells this update from others."""
        return self.departure.id, self.seats


class BookingSequenceInput(graphene.InputObjectType):
    reference = graphene.String(required=True)
    sequence = graphene.Int(required=True)


class Subscription(graphene.ObjectType):
    booking_updated = graphene.Field(
        BookingUpdate, required=True, reference=graphene.String(required=True), after_sequence=graphene.Int()
    )
    my_bookings_updated = graphene.Field(
        BookingUpdate, required=True, known=graphene.List(graphene.NonNull(BookingSequenceInput))
    )
    departure_availability = graphene.Field(Departure, required=True, departure=graphene.ID(required=True))

    @staticmethod
    async def subscribe_booking_updated(
        _root: None, info: Info, reference: str, after_sequence: int | None = None
    ) -> AsyncIterator[Update]:
        info.context.signed_in_traveller()
        after = None if after_sequence is None else sequence_of(after_sequence)
        async for update in follow_booking(info.context, reference=reference, after=after):
            info.context.renew()
            yield update

    @staticmethod
    async def subscribe_my_bookings_updated(
        _root: None, info: Info, known: list[BookingSequenceInput] | None = None
    ) -> AsyncIterator[Update]:
        info.context.signed_in_traveller()
        async for update in follow_bookings(info.context, known=_sequences(known)):
            info.context.renew()
            yield update

    @staticmethod
    async def subscribe_departure_availability(_root: None, info: Info, departure: str) -> AsyncIterator[SeatsUpdate]:
        departure_id = raw_id(departure, "Departure", "departure")
        row = await info.context.loaders.departures.load(departure_id)
        if row is None:
            raise NotFound(field="departure")
        async for seats in follow_seats(info.context, departure_id=departure_id):
            info.context.renew()
            info.context.loaders.free_seats.prime(departure_id, seats)
            yield SeatsUpdate(row, seats)

    @staticmethod
    def resolve_booking_updated(root: Update, info: Info, **_: object) -> Update:
        return root

    @staticmethod
    def resolve_my_bookings_updated(root: Update, info: Info, **_: object) -> Update:
        return root

    @staticmethod
    def resolve_departure_availability(root: SeatsUpdate, info: Info, **_: object) -> destinations_pb2.Departure:
        return root.departure


def _sequences(known: list[BookingSequenceInput] | None) -> dict[str, int] | None:
    """Return the sequence of each reference, or None for None.

    Raises Invalid for more than MAX_KNOWN entries, an invalid sequence or a malformed reference.
    """
    if known is None:
        return None
    if len(known) > MAX_KNOWN or not all(
        0 <= booking.sequence <= MAX_SEQUENCE and _COULD_BE_REFERENCE.fullmatch(booking.reference) for booking in known
    ):
        raise Invalid(field="known")
    return {booking.reference: booking.sequence for booking in known}
