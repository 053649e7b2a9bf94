"""Destinations. Each write keeps the place in the tree and the derived columns right, and publishes the change."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from destinations_service.catalogue import events
from destinations_service.catalogue.contracts import DestinationDetails, DestinationView
from destinations_service.catalogue.domain import InUse
from destinations_service.catalogue.models import Destination, DestinationTranslation
from destinations_service.catalogue.place_rules import SlugTaken
from destinations_service.catalogue.selectors.places import destinations_by_key
from destinations_service.catalogue.services.derived import refresh_costs
from destinations_service.catalogue.services.search_index import refresh_search, remove_from_search
from destinations_service.catalogue.services.slugs import check_slug, keep_addresses
from destinations_service.catalogue.services.tree import check_position, lock_family, lock_tree, move
from destinations_service.catalogue.services.versions import check_version
from shared.db import violated_constraint
from shared.errors import Invalid, NotFound
from shared.text import Text

_FIELDS = (
    "slug", "kind", "parent_id", "country_code", "latitude", "longitude", "time_zone", "population", "tags", "currency",
    "season_from_month", "season_to_month",
)  # fmt: skip
_STRUCTURE = ("kind", "parent_id", "country_code")
_NEEDS_A_NAME = Text(
    en="A new text in {language} needs a name: write name beside the summary or description.",
    fr="Un nouveau texte en {language} a besoin d’un nom : écrivez name avec le résumé ou la description.",
)


def save_destination(
    *, destination_id: UUID | None, details: DestinationDetails, seen: Collection[int] | None = None
) -> DestinationView:
    """Create a destination, or change the fields that `details` sets. Write everything or nothing.

    `seen` are the versions that the caller may have read; None allows any. Raises NotFound, StaleVersion, Invalid
    naming the field, SlugTaken, SlugLeadsElsewhere.
    """
    with transaction.atomic():
        row = Destination()
        if destination_id is not None:
            lock_place(destination_id, wanted={name: details.value(name) for name in _STRUCTURE if details.sets(name)})
            row = locked(destination_id, seen=seen)
        else:
            lock_tree()
        for name in _FIELDS:
            if details.sets(name):
                setattr(row, name, details.value(name))
        write_place(row, code_given=details.sets("country_code"))
        _translate(row, details.translations)
        record_change(row)
        return replace(destinations_by_key(ids=[row.id])[0], version=row.version)


def lock_place(destination_id: UUID, *, wanted: Mapping[str, Any]) -> None:
    """Lock what a change of a place needs, before its row is read. `wanted` are its kind, parent and country code.

    If they differ from the stored ones, the place moves: then every place that the move changes is locked. Call it in
    the transaction of the write.
    """
    if not wanted:
        return
    lock_tree()
    stored = Destination.objects.filter(id=destination_id).values(*_STRUCTURE).first()
    if stored is not None and any(stored[name] != value for name, value in wanted.items()):
        lock_family(place_id=destination_id, parent_id=wanted.get("parent_id", stored["parent_id"]))


def check_place(row: Destination, *, code_given: bool = False) -> None:
    """Check a new or changed row before it is written. Call it in the transaction of the write.

    Raises Invalid naming the field, SlugLeadsElsewhere.
    """
    if row._state.adding:
        lock_tree()
    check_position(row, code_given=code_given)
    check_slug(row)


def write_place(row: Destination, *, code_given: bool = False) -> None:
    """Save a new or changed row, with all that follows from its position and its slug.

    Call it in a transaction under the locks of `lock_place` or `lock_tree`, and `record_change` after it.

    Raises Invalid naming the field, SlugTaken, SlugLeadsElsewhere.
    """
    former = (
        None
        if row._state.adding
        else Destination.objects.filter(id=row.id).values("slug", "ancestors", "country_code").get()
    )
    check_position(row, code_given=code_given)
    try:
        with transaction.atomic():
            row.full_clean(validate_unique=False)
            row.save()
    except ValidationError as error:
        raise invalid(error) from error
    except IntegrityError as error:
        if "slug" in (violated_constraint(error) or ""):
            raise SlugTaken(field="slug", slug=row.slug) from None
        raise
    keep_addresses(row, former=former["slug"] if former else None)
    if former:
        move(row, above=former["ancestors"], country_code=former["country_code"])


def record_change(row: Destination) -> None:
    """Give a destination that was just written its next version and derived columns, and publish the change.

    Call it in the transaction of the write.
    """
    Destination.objects.filter(id=row.id).update(version=row.version + 1)
    row.version += 1
    refresh_search(ids=[row.id])
    refresh_costs(ids=[row.id])
    events.publish_destination(row)


def delete_destination(*, destination_id: UUID, seen: Collection[int] | None = None) -> None:
    """Delete a destination and publish the change.

    Raises NotFound, StaleVersion, InUse if something depends on it.
    """
    with transaction.atomic():
        row = locked(destination_id, seen=seen)
        try:
            row.delete()
        except ProtectedError:
            raise InUse from None
        remove_from_search(ids=[destination_id])
        row.id, row.version = destination_id, row.version + 1
        events.publish_destination(row)


def invalid(error: ValidationError, *, prefix: str = "") -> Invalid:
    """Return the refusal for what the model does not allow: its first field, and why."""
    field, messages = next(iter(error.message_dict.items()))
    message = str(messages[0]).replace("{", "{{").replace("}", "}}")
    return Invalid(field=None if field == "__all__" else prefix + field, text=Text(en=message, fr=message))


def _translate(row: Destination, translations: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the texts that are given. A text that is not given stays as it is, in a language that has a name."""
    for language, words in translations.items():
        text = DestinationTranslation.objects.filter(destination=row, language=language).first()
        if text is None:
            text = DestinationTranslation(destination=row, language=language)
            if not words.get("name"):
                raise Invalid(field=f"translations.{language}.name", text=_NEEDS_A_NAME, language=language)
        for name, value in words.items():
            setattr(text, name, value)
        try:
            text.full_clean()
        except ValidationError as error:
            raise invalid(error, prefix=f"translations.{language}.") from error
        text.save()


def locked(destination_id: UUID, *, seen: Collection[int] | None) -> Destination:
    """Lock a place and return it. Raises NotFound, StaleVersion if it has none of the versions that were `seen`."""
    row = Destination.objects.select_for_update().filter(id=destination_id).first()
    if row is None:
        raise NotFound
    check_version(row, seen)
    return row
