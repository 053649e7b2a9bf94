"""The root of every subscription."""

from collections.abc import AsyncIterator
from typing import Any

import graphene

from gateway_service.gateway.live import follow_booking
from gateway_service.gateway.schema.bookings import Booking, BookingEvent, sequence_of
from gateway_service.gateway.schema.values import Info, Shown


class BookingUpdate(Shown):
    booking = graphene.Field(Booking, required=True)
    event = graphene.Field(BookingEvent, required=True)


class Subscription(graphene.ObjectType):
    booking_updated = graphene.Field(
        BookingUpdate, required=True, reference=graphene.String(required=True), after_sequence=graphene.Int()
    )

    @staticmethod
    async def subscribe_booking_updated(
        _root: None, info: Info, reference: str, after_sequence: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        info.context.owner()
        after = None if after_sequence is None else sequence_of(after_sequence)
        async for update in follow_booking(info.context, reference=reference, after=after):
            info.context.renew()
            yield {"booking": update.booking, "event": update.event}

    @staticmethod
    def resolve_booking_updated(root: dict[str, Any], info: Info, **_: Any) -> dict[str, Any]:
        return root
