"""Create and change trips: the row, its texts and its cancellation policy, all or nothing."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from destinations_service.catalogue.contracts import TripDetails, TripView
from destinations_service.catalogue.models import CancellationRule, Destination, Trip, TripTranslation
from destinations_service.catalogue.place_rules import SlugTaken, check_currency
from destinations_service.catalogue.selectors.trips import trips_by_key
from destinations_service.catalogue.services.slugs import keep_addresses
from destinations_service.catalogue.services.trips import record_trip_change
from destinations_service.catalogue.services.versions import check_version
from destinations_service.catalogue.trip_rules import TripHasDepartures, check_policy, check_trip
from shared.errors import Invalid, NotFound
from shared.text import Text

# What departures were made from: their prices, their length, and where they go.
_FIXED: Final = ("currency", "duration_days", "destination_id")
_UNKNOWN_PLACE: Final = Text(en="There is no destination with this id.", fr="Aucune destination n’a cet identifiant.")
_NEEDS_A_TITLE: Final = Text(
    en="A new text in {language} needs a title.", fr="Un nouveau texte en {language} a besoin d’un titre."
)


def save_trip(*, trip_id: UUID | None, details: TripDetails, seen: Collection[int] | None = None) -> TripView:
    """Create a trip, or change the fields that `details` has. Write everything or nothing, and publish.

    `seen` are the versions that the caller may have read; None allows any. Raises NotFound, StaleVersion, Invalid
    naming the field, TripHasDepartures, SlugTaken, SlugLeadsElsewhere.
    """
    with transaction.atomic():
        row = Trip() if trip_id is None else Trip.objects.select_for_update().filter(id=trip_id).first()
        if row is None:
            raise NotFound
        former = None if row._state.adding else row.slug
        if not row._state.adding:
            check_version(row, seen)
        changed = [name for name, value in details.fields.items() if getattr(row, name) != value]
        if not row._state.adding and set(changed) & set(_FIXED) and row.departures.exists():
            raise TripHasDepartures(field=next(name for name in _FIXED if name in changed))
        for name in changed:
            setattr(row, name, details.fields[name])
        _check(row)
        _save(row)
        keep_addresses(row, former=former)
        _translate(row, details)
        if details.policy is not None:
            check_policy([days for days, _ in details.policy])
            row.cancellation_rules.all().delete()
            CancellationRule.objects.bulk_create(
                CancellationRule(trip=row, days_before=days, refund_percent=percent) for days, percent in details.policy
            )
        record_trip_change(row)
        return replace(trips_by_key(ids=[row.id])[0], version=row.version)


def _check(row: Trip) -> None:
    if not Destination.objects.filter(id=row.destination_id).exists():
        raise Invalid(field="destinationId", text=_UNKNOWN_PLACE)
    check_currency(row.currency)
    check_trip(
        minimum_group=row.minimum_group, maximum_group=row.maximum_group, latitude=row.meeting_latitude,
        longitude=row.meeting_longitude, languages=row.languages, opens_days=row.booking_opens_days,
        closes_hours=row.booking_closes_hours,
    )  # fmt: skip


def _save(row: Trip) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise SlugTaken(field="slug", slug=row.slug) from None


def _translate(row: Trip, details: TripDetails) -> None:
    for language, words in details.translations.items():
        text = TripTranslation.objects.filter(trip=row, language=language).first()
        if text is None:
            if not words.get("title"):
                raise Invalid(field=f"translations.{language}.title", text=_NEEDS_A_TITLE, language=language)
            text = TripTranslation(trip=row, language=language)
        for name, value in words.items():
            setattr(text, name, value)
        text.save()
