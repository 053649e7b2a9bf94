"""Parts of places and trips: photos, average prices, opening hours and seasons."""

from collections.abc import Awaitable, Sequence

import graphene

from contracts.travel.destinations.v1 import destinations_pb2
from gateway_service.gateway.schema.base import Info, MessageObject
from gateway_service.gateway.schema.columns import Column, ColumnResolver
from gateway_service.gateway.schema.enums import PriceCategory
from gateway_service.gateway.schema.money import EURO, Money, convert
from gateway_service.gateway.schema.scalars import Date
from shared.errors import Invalid, Unavailable


class Photo(MessageObject):
    url = graphene.String(required=True, width=graphene.Int())
    alt = graphene.String(required=True)
    credit = graphene.String(required=True)
    license = graphene.String(required=True)
    width = graphene.Int(required=True)
    height = graphene.Int(required=True)

    @staticmethod
    @ColumnResolver
    def resolve_url(roots: Sequence[destinations_pb2.Photo], info: Info, width: int | None = None) -> Column:
        """Return the address of each photo's rendition for `width`. Raises Invalid for a width below 1."""
        if width is not None and width < 1:
            raise Invalid(field="width")
        return [_url(root, width) for root in roots]

    @staticmethod
    @ColumnResolver
    def resolve_alt(roots: Sequence[destinations_pb2.Photo], info: Info) -> list[str] | Awaitable[list[str]]:
        return info.context.localized([root.alt for root in roots])


def _url(photo: destinations_pb2.Photo, width: int | None) -> str | Unavailable:
    """Return the address of the narrowest rendition that is at least `width` wide, or else of the widest.

    Return Unavailable while the photo has no rendition.
    """
    renditions = photo.renditions
    if not renditions:
        return Unavailable(retry_after=1)
    if width:
        for rendition in renditions:
            if rendition.width >= width:
                return rendition.url
    return renditions[-1].url


class AveragePrice(MessageObject):
    category = PriceCategory(required=True)
    price = graphene.Field(Money, required=True)
    converted = graphene.Field(Money, currency=graphene.String(required=True))
    as_of = Date(required=True)
    source = graphene.String(required=True)
    rate_date = Date()

    @staticmethod
    @ColumnResolver
    async def resolve_converted(roots: Sequence[destinations_pb2.AveragePrice], info: Info, currency: str) -> Column:
        return await convert([root.price for root in roots], currency, info)

    @staticmethod
    @ColumnResolver
    async def resolve_rate_date(roots: Sequence[destinations_pb2.AveragePrice], info: Info) -> list[str | None]:
        rates = await info.context.loaders.exchange_rates.load(EURO)
        some_rate = next(iter(rates.values()), None)
        of_prices = [rates.get(root.price.currency_code) or some_rate for root in roots]
        return [rate.as_of if rate else None for rate in of_prices]


class OpeningHours(MessageObject):
    weekday = graphene.Int(required=True)
    opens = graphene.String(required=True)
    closes = graphene.String(required=True)


class Season(MessageObject):
    from_month = graphene.Int(required=True)
    to_month = graphene.Int(required=True)
