"""Average prices of a place, and the texts of its photos. Several at once: all of them are written, or none."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from destinations_service.catalogue.contracts import AveragePriceView, PhotoDetails, PhotoView, PriceDetails
from destinations_service.catalogue.models import AveragePrice, Photo
from destinations_service.catalogue.place_rules import check_price
from destinations_service.catalogue.selectors.places import average_prices, photos
from destinations_service.catalogue.services.places import invalid, locked, record_change
from shared.errors import Invalid
from shared.text import Text

_PRICE: Final = ("amount", "currency", "as_of", "source", "is_sample")
_TEXTS: Final = ("alt_en", "alt_fr", "credit", "license", "position")
_TWICE: Final = Text(en="It is in the list twice. Write it once.", fr="Il figure deux fois dans la liste : une suffit.")
_NOT_ITS_PHOTO: Final = Text(
    en="This place has no photo with this id. Its photos are listed by GET at the same address.",
    fr="Ce lieu n’a pas de photo avec cet identifiant. GET à la même adresse donne la liste de ses photos.",
)


def save_prices(
    *, destination_id: UUID, prices: Sequence[PriceDetails], others_stay: bool, seen: Collection[int] | None = None
) -> tuple[list[AveragePriceView], int]:
    """Write average prices by category, and return all of the place's with its version.

    Prices of other categories stay, or are removed. What does not differ is not written: then no new version is
    published. Raises NotFound, StaleVersion, Invalid naming the field.
    """
    today = datetime.now(UTC).date()
    for at, price in enumerate(prices):
        check_price(price, today=today, field=f"prices.{at}")
    _check_once([price.category for price in prices], field="prices.{}.category")
    with transaction.atomic():
        place = locked(destination_id, seen=seen)
        stored = {row.category: row for row in AveragePrice.objects.filter(destination=place)}
        gone = [] if others_stay else sorted(set(stored) - {price.category for price in prices})
        changed = bool(gone)
        for at, price in enumerate(prices):
            row = stored.get(price.category, AveragePrice(destination=place, category=price.category))
            changed |= _write(row, {name: getattr(price, name) for name in _PRICE}, field=f"prices.{at}.")
        AveragePrice.objects.filter(destination=place, category__in=gone).delete()
        if changed:
            record_change(place)
        return average_prices(destination_ids=[place.id])[place.id], place.version


def save_photos(
    *, destination_id: UUID, changes: Sequence[PhotoDetails], seen: Collection[int] | None = None
) -> tuple[list[PhotoView], int]:
    """Change texts and positions of a place's photos, and return all of its photos with its version.

    What does not differ is not written: then no new version is published. Raises NotFound, StaleVersion, Invalid naming
    the field.
    """
    _check_once([change.id for change in changes], field="photos.{}.id")
    with transaction.atomic():
        place = locked(destination_id, seen=seen)
        stored = {row.id: row for row in Photo.objects.filter(destination=place)}
        changed = False
        for at, change in enumerate(changes):
            if change.id not in stored:
                raise Invalid(field=f"photos.{at}.id", text=_NOT_ITS_PHOTO)
            given = {name: value for name in _TEXTS if (value := getattr(change, name)) is not None}
            changed |= _write(stored[change.id], given, field=f"photos.{at}.")
        if changed:
            record_change(place)
        return photos(destination_ids=[place.id]), place.version


def _write(row: AveragePrice | Photo, given: dict[str, Any], *, field: str) -> bool:
    """Save the row if it is new or a value differs. Return whether it was saved."""
    if not row._state.adding and all(getattr(row, name) == value for name, value in given.items()):
        return False
    for name, value in given.items():
        setattr(row, name, value)
    try:
        row.full_clean(validate_unique=False)
    except ValidationError as error:
        raise invalid(error, prefix=field) from error
    row.save()
    return True


def _check_once(keys: Sequence[Any], *, field: str) -> None:
    for at, key in enumerate(keys):
        if key in keys[:at]:
            raise Invalid(field=field.format(at), text=_TWICE)
