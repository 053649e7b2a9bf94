"""The root of every subscription."""

import re
from collections.abc import AsyncIterator
from typing import Any, Final

import graphene

from gateway_service.gateway.ids import parse_global_id
from gateway_service.gateway.live.follow import Update, follow_booking, follow_bookings, follow_seats
from gateway_service.gateway.schema.bookings import MAX_SEQUENCE, Booking, BookingEvent, sequence_of
from gateway_service.gateway.schema.catalogue import Departure
from gateway_service.gateway.schema.values import Info, Shown
from shared.errors import Invalid, NotFound

MOST_KNOWN: Final = 500
_REFERENCE: Final = re.compile(r"[0-9A-Z]{8}")


class BookingUpdate(Shown):
    booking = graphene.Field(Booking, required=True)
    event = graphene.Field(BookingEvent, required=True)


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
    ) -> AsyncIterator[dict[str, Any]]:
        info.context.owner()
        after = None if after_sequence is None else sequence_of(after_sequence)
        async for update in follow_booking(info.context, reference=reference, after=after):
            yield _shown(update, info)

    @staticmethod
    async def subscribe_my_bookings_updated(
        _root: None, info: Info, known: list[Any] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        info.context.owner()
        async for update in follow_bookings(info.context, known=_sequences(known)):
            yield _shown(update, info)

    @staticmethod
    async def subscribe_departure_availability(_root: None, info: Info, departure: str) -> AsyncIterator[Any]:
        parsed = parse_global_id(departure)
        if parsed is None or parsed[0] != "Departure":
            raise Invalid(field="departure")
        found = await info.context.loaders.departures.load(parsed[1])
        if found is None:
            raise NotFound(field="departure")
        async for seats in follow_seats(info.context, departure_id=parsed[1]):
            info.context.renew()
            info.context.loaders.seats_available.prime(parsed[1], seats)
            yield found

    @staticmethod
    def resolve_booking_updated(root: dict[str, Any], info: Info, **_: Any) -> dict[str, Any]:
        return root

    @staticmethod
    def resolve_my_bookings_updated(root: dict[str, Any], info: Info, **_: Any) -> dict[str, Any]:
        return root

    @staticmethod
    def resolve_departure_availability(root: Any, info: Info, **_: Any) -> Any:
        return root


def _shown(update: Update, info: Info) -> dict[str, Any]:
    info.context.renew()
    return {"booking": update.booking, "event": update.event}


def _sequences(known: list[Any] | None) -> dict[str, int] | None:
    """Return the sequence of each reference. Raises Invalid for too many, a sequence that is none, or what cannot be a reference."""
    if known is None:
        return None
    if len(known) > MOST_KNOWN or not all(
        0 <= one.sequence <= MAX_SEQUENCE and _REFERENCE.fullmatch(one.reference) for one in known
    ):
        raise Invalid(field="known")
    return {one.reference: one.sequence for one in known}
