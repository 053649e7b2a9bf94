"""Destinations by id and slug, with their photos and prices, and the exchange rates."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from destinations_service.catalogue.contracts import AveragePriceView, DestinationView, PhotoView, RateView
from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS
from destinations_service.catalogue.selectors.rows import PLACES, by_slug
from shared.errors import Invalid
from shared.money import Money
from shared.statement import Statement
from shared.text import Text

_NO_RATE: Final = Text(
    en="Prices cannot be compared in {currency}: there is no exchange rate for it. Use EUR or another currency.",
    fr="Les prix ne peuvent être comparés en {currency} : il n’a pas de taux de change. Choisissez EUR ou une autre.",
)


def destinations_by_key(*, ids: Collection[UUID] = (), slugs: Collection[str] = ()) -> list[DestinationView]:
    """Return the destinations that exist, in the order of `ids` and then of `slugs`.

    An earlier slug finds its destination too.
    """
    if not slugs:
        found = {place.id: place for place in _DESTINATIONS.all(ids=list(ids))}
        return [found[key] for key in ids if key in found]
    by_key: dict[UUID | str, DestinationView] = {}
    for place, earlier in _DESTINATIONS_BY_SLUG.all(ids=list(ids), slugs=list(slugs)):
        by_key.update(dict.fromkeys([place.id, place.slug, *earlier], place))
    keys: list[UUID | str] = [*ids, *slugs]
    return [by_key[key] for key in keys if key in by_key]


def destination_version(*, slug: str) -> int | None:
    """Return the version of a destination, None if no destination has the slug now.

    Read it before the destination itself: then a change in between makes the version too old, and never too new.
    """
    return _VERSION.first(slug=slug)


def photos(*, destination_ids: Collection[UUID] = (), trip_ids: Collection[UUID] = ()) -> list[PhotoView]:
    """Return the photos of destinations and of trips, in the order in which they are shown."""
    return _PHOTOS.all(ids=list(destination_ids), trip_ids=list(trip_ids))


def average_prices(*, destination_ids: Collection[UUID]) -> dict[UUID, list[AveragePriceView]]:
    """Return the average prices of each destination."""
    prices: dict[UUID, list[AveragePriceView]] = {destination_id: [] for destination_id in destination_ids}
    for destination_id, price in _PRICES.all(ids=list(destination_ids)):
        prices[destination_id].append(price)
    return prices


def exchange_rates() -> list[RateView]:
    """Return the latest rate of every currency."""
    return _RATES.all()


def euros(money: Money, *, field: str) -> Decimal:
    """Return an amount in euros. Raises Invalid for a negative amount or a currency without a rate."""
    if money.amount < 0:
        raise Invalid(field=field)
    if money.currency == "EUR":
        return money.amount
    rate = next((rate.rate for rate in exchange_rates() if rate.currency == money.currency), None)
    if rate is None:
        raise Invalid(field=f"{field}.currency", text=_NO_RATE, currency=money.currency)
    return money.amount / rate


def _photo(
    id: UUID, destination_id: UUID | None, alt_en: str, alt_fr: str, credit: str, license: str, width: int, height: int,
    trip_id: UUID | None,
) -> PhotoView:  # fmt: skip
    base = f"{settings.MEDIA_URL_BASE}/photos/{id}"
    renditions = tuple((width, f"{base}/{width}.jpg") for width in RENDITION_WIDTHS)
    return PhotoView(id, destination_id, Text(alt_en, alt_fr), credit, license, width, height, renditions, trip_id)


def _price(
    destination_id: UUID, category: str, amount: Decimal, currency: str, as_of: date, source: str
) -> tuple[UUID, AveragePriceView]:
    return destination_id, AveragePriceView(category, Money.rounded(amount, currency), as_of, source)


def _with_earlier_slugs(*columns: Any) -> tuple[DestinationView, list[str]]:
    return PLACES.view(*columns[:-1]), columns[-1]


_DESTINATIONS: Final = Statement(PLACES.view, PLACES.where("place.id = ANY(%(ids)s)"))
_DESTINATIONS_BY_SLUG: Final = Statement(_with_earlier_slugs, by_slug(PLACES, owner="destination"))
_VERSION: Final = Statement(int, "SELECT version FROM catalogue_destination WHERE slug = %(slug)s")
_PHOTOS: Final = Statement(
    _photo,
    "SELECT id, destination_id, alt_en, alt_fr, credit, license, width, height, trip_id"
    " FROM catalogue_photo WHERE destination_id = ANY(%(ids)s) OR trip_id = ANY(%(trip_ids)s)"
    " ORDER BY destination_id, trip_id, position, id",
)
_PRICES: Final = Statement(
    _price,
    "SELECT destination_id, category, amount, currency, as_of, source FROM catalogue_averageprice"
    " WHERE destination_id = ANY(%(ids)s) ORDER BY category",
)
_RATES: Final = Statement(
    RateView,
    "SELECT DISTINCT ON (currency) currency, rate, as_of FROM catalogue_exchangerate ORDER BY currency, as_of DESC",
)
