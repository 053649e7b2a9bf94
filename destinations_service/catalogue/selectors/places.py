"""Destinations with their photos and prices, and the exchange rates."""

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from destinations_service.catalogue.contracts import AveragePriceView, DestinationView, PhotoView, RateView
from destinations_service.catalogue.models import AveragePrice, Destination, DestinationTranslation, ExchangeRate, Photo
from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS
from shared.money import Money
from shared.text import Text


def destinations() -> QuerySet[Destination]:
    """Return destinations with their translations."""
    return Destination.objects.prefetch_related("translations")


def destinations_by_key(*, ids: Collection[UUID] = (), slugs: Collection[str] = ()) -> list[DestinationView]:
    """Return the destinations that exist, in the order of `ids` and then of `slugs`."""
    rows: dict[UUID | str, Destination] = {}
    if ids:
        rows.update({row.id: row for row in destinations().filter(id__in=ids)})
    if slugs:
        rows.update({row.slug: row for row in destinations().filter(slug__in=slugs)})
    keys: list[UUID | str] = [*ids, *slugs]
    return [destination_view(rows[key]) for key in keys if key in rows]


def photos(*, destination_ids: Collection[UUID]) -> list[PhotoView]:
    """Return the photos of destinations, in the order in which they are shown."""
    rows = Photo.objects.filter(destination_id__in=destination_ids).order_by("destination_id", "position", "id")
    return [photo_view(row) for row in rows]


def average_prices(*, destination_ids: Collection[UUID]) -> dict[UUID, list[AveragePriceView]]:
    """Return the average prices of each destination."""
    prices: dict[UUID, list[AveragePriceView]] = {destination_id: [] for destination_id in destination_ids}
    for row in AveragePrice.objects.filter(destination_id__in=destination_ids).order_by("category"):
        price = Money.rounded(row.amount, row.currency)
        prices[row.destination_id].append(AveragePriceView(row.category, price, row.as_of, row.source))
    return prices


def exchange_rates() -> list[RateView]:
    """Return the latest rate of every currency."""
    rows = ExchangeRate.objects.order_by("currency", "-as_of").distinct("currency")
    return [RateView(row.currency, row.rate, row.as_of) for row in rows]


def destination_view(row: Destination, *, distance_km: float | None = None) -> DestinationView:
    """Return the view of a destination."""
    words = {translation.language: translation for translation in row.translations.all()}
    return DestinationView(
        id=row.id,
        slug=row.slug,
        kind=row.kind,
        name=_text(words, "name", fallback=row.slug),
        summary=_text(words, "summary"),
        description=_text(words, "description"),
        parent_id=row.parent_id,
        ancestors=tuple(row.ancestors),
        country_code=row.country_code,
        latitude=row.latitude,
        longitude=row.longitude,
        time_zone=row.time_zone,
        population=row.population,
        tags=tuple(row.tags),
        currency=row.currency,
        distance_km=distance_km,
    )


def photo_view(row: Photo) -> PhotoView:
    """Return the view of a photo."""
    base = f"{settings.MEDIA_URL_BASE}/photos/{row.id}"
    return PhotoView(
        id=row.id,
        destination_id=row.destination_id,
        alt=Text(en=row.alt_en, fr=row.alt_fr),
        credit=row.credit,
        license=row.license,
        width=row.width,
        height=row.height,
        renditions=tuple((width, f"{base}/{width}.jpg") for width in RENDITION_WIDTHS),
    )


def _text(words: dict[str, DestinationTranslation], name: str, fallback: str = "") -> Text:
    """Return a text in both languages. A missing language shows the text of the other."""
    en = getattr(words["EN"], name) if "EN" in words else ""
    fr = getattr(words["FR"], name) if "FR" in words else ""
    return Text(en=en or fr or fallback, fr=fr or en or fallback)
