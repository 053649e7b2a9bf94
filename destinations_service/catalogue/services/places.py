"""Destinations. Each write keeps the place in the tree and the derived columns right, and publishes the change."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from destinations_service.catalogue import events
from destinations_service.catalogue.contracts import DestinationDetails, DestinationView
from destinations_service.catalogue.domain import InUse
from destinations_service.catalogue.models import Destination, DestinationTranslation
from destinations_service.catalogue.selectors.places import destinations_by_key
from destinations_service.catalogue.services.derived import refresh_costs, refresh_search
from shared.errors import Invalid, NotFound

_FIELDS = (
    "slug", "kind", "parent_id", "country_code", "latitude", "longitude", "time_zone", "population", "tags", "currency",
)  # fmt: skip


def save_destination(*, destination_id: UUID | None, details: DestinationDetails) -> DestinationView:
    """Create a destination, or change the fields that `details` sets. Write everything or nothing.

    Raises NotFound, Invalid naming the field, InUse if another destination has the slug.
    """
    with transaction.atomic():
        row = Destination() if destination_id is None else _locked(destination_id)
        for name in _FIELDS:
            if (value := getattr(details, name)) is not None:
                setattr(row, name, value)
        place_in_tree(row)
        try:
            with transaction.atomic():
                row.full_clean(validate_constraints=True)
                row.save()
        except ValidationError as error:
            raise Invalid(field=next(iter(error.message_dict))) from error
        except IntegrityError:
            raise InUse(field="slug") from None
        _translate(row, details.translations)
        record_change(row)
        return destinations_by_key(ids=[row.id])[0]


def record_change(row: Destination) -> None:
    """Give a destination that was just written its next version and derived columns, and publish the change.

    Call it in the transaction of the write.
    """
    Destination.objects.filter(id=row.id).update(version=row.version + 1)
    row.version += 1
    refresh_search(ids=[row.id])
    refresh_costs(ids=[row.id])
    events.publish_destination(row)


def delete_destination(*, destination_id: UUID) -> None:
    """Delete a destination and publish the change. Raises NotFound, InUse if something depends on it."""
    with transaction.atomic():
        row = _locked(destination_id)
        try:
            row.delete()
        except ProtectedError:
            raise InUse from None
        row.id, row.version = destination_id, row.version + 1
        events.publish_destination(row)


def place_in_tree(row: Destination) -> None:
    """Set `row.ancestors` from its parent. Raises Invalid for an impossible parent or an unknown time zone."""
    if row.kind == "COUNTRY":
        if row.parent_id is not None:
            raise Invalid(field="parent")
        row.ancestors = []
    else:
        parent = Destination.objects.filter(id=row.parent_id).first() if row.parent_id else None
        allowed = ("COUNTRY",) if row.kind == "CITY" else ("COUNTRY", "CITY")
        if parent is None or parent.kind not in allowed:
            raise Invalid(field="parent")
        row.ancestors = [*parent.ancestors, parent.id]
    if row.time_zone and row.time_zone not in available_timezones():
        raise Invalid(field="timeZone")


def _translate(row: Destination, translations: Mapping[str, Mapping[str, Any]]) -> None:
    for language, words in translations.items():
        DestinationTranslation.objects.update_or_create(destination=row, language=language, defaults=dict(words))


def _locked(destination_id: UUID) -> Destination:
    row = Destination.objects.select_for_update().filter(id=destination_id).first()
    if row is None:
        raise NotFound
    return row
