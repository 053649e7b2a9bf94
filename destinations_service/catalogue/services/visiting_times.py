"""Opening hours and the season of a place: replaced as a whole, or refused."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from destinations_service.catalogue.contracts import HoursView, VisitingTimesView
from destinations_service.catalogue.models import OpeningHours
from destinations_service.catalogue.selectors.content import visiting_times
from destinations_service.catalogue.services.places import locked, record_change
from shared.errors import Invalid
from shared.text import Text

_CLOSES_FIRST: Final = Text(
    en="closes must be later than opens. For a time after midnight, write 23:59 and a second entry on the next day.",
    fr="closes doit suivre opens. Après minuit, écrivez 23:59 et une deuxième entrée le jour suivant.",
)
_OVERLAP: Final = Text(
    en="It overlaps another time of the same weekday. Write times that do not overlap.",
    fr="Il chevauche un autre horaire du même jour. Écrivez des horaires sans chevauchement.",
)
_ONE_MONTH: Final = Text(
    en="A season has two months, from 1 to 12. Write both, or null for both.",
    fr="Une saison a deux mois, de 1 à 12. Écrivez les deux, ou null pour les deux.",
)


def save_visiting_times(
    *,
    destination_id: UUID,
    hours: Sequence[HoursView],
    season: tuple[int | None, int | None],
    seen: Collection[int] | None = None,
) -> tuple[VisitingTimesView, int]:
    """Replace the opening hours and the season of a place, and return them with the place's version.

    What does not differ is not written: then no new version is published. Raises NotFound, StaleVersion, Invalid naming
    the field.
    """
    _check(hours, season)
    with transaction.atomic():
        place = locked(destination_id, seen=seen)
        stored = visiting_times(destination_ids=[place.id])[0]
        wanted = tuple(sorted(hours, key=lambda entry: (entry.weekday, entry.opens)))
        if wanted != stored.opening_hours or season != (stored.season_from_month, stored.season_to_month):
            OpeningHours.objects.filter(destination=place).delete()
            OpeningHours.objects.bulk_create(
                OpeningHours(destination=place, weekday=entry.weekday, opens=entry.opens, closes=entry.closes)
                for entry in wanted
            )
            place.season_from_month, place.season_to_month = season
            place.save(update_fields=["season_from_month", "season_to_month", "updated_at"])
            record_change(place)
        return visiting_times(destination_ids=[place.id])[0], place.version


def _check(hours: Sequence[HoursView], season: tuple[int | None, int | None]) -> None:
    if (season[0] is None) != (season[1] is None):
        raise Invalid(field="season_to_month" if season[1] is None else "season_from_month", text=_ONE_MONTH)
    for at, entry in enumerate(hours):
        if entry.closes <= entry.opens:
            raise Invalid(field=f"opening_hours.{at}.closes", text=_CLOSES_FIRST)
        for other in hours[:at]:
            if other.weekday == entry.weekday and other.opens < entry.closes and entry.opens < other.closes:
                raise Invalid(field=f"opening_hours.{at}.opens", text=_OVERLAP)
