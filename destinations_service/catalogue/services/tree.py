"""The tree of places: what may be inside what, and what follows if a place with others inside it moves."""

from typing import Final
from uuid import UUID

from django.db import connection

from destinations_service.catalogue import events
from destinations_service.catalogue.models import Destination
from destinations_service.catalogue.place_rules import (
    Above,
    check_country_code,
    check_currency,
    check_kind,
    check_pairs,
    check_parent,
    check_time_zone,
)
from destinations_service.catalogue.services.search_index import refresh_search
from shared.db import advisory_xact_lock

_FAMILY: Final = """
SELECT count(*) FROM (
    SELECT id FROM catalogue_destination
    WHERE id = ANY(%(ids)s) OR ancestors @> ARRAY[%(place)s]::uuid[]
       OR id IN (SELECT unnest(ancestors) FROM catalogue_destination WHERE id = ANY(%(ids)s))
    ORDER BY id FOR UPDATE
) AS locked
"""
_MOVE: Final = """
UPDATE catalogue_destination
SET ancestors = %(above)s::uuid[] || ancestors[array_position(ancestors, %(id)s):],
    country_code = %(code)s, version = version + 1, updated_at = now()
WHERE ancestors @> ARRAY[%(id)s]::uuid[]
RETURNING id, slug, version
"""


def lock_tree() -> None:
    """Wait until nobody else changes what is inside what, and keep others from it until the transaction ends.

    Each rule looks at several rows. Without the lock, two changes at once could both be allowed and together break a
    rule: two countries could become cities inside one another.
    """
    advisory_xact_lock("the tree of places")


def lock_family(*, place_id: UUID, parent_id: UUID | None) -> None:
    """Lock what a move changes: the place, all below it, and all above it before and after.

    In the order of their ids, like `copy_seats`, so that the two cannot wait for each other.
    """
    ids = [place_id, *([parent_id] if parent_id else [])]
    with connection.cursor() as cursor:
        cursor.execute(_FAMILY, {"ids": ids, "place": place_id})


def check_position(row: Destination, *, code_given: bool) -> None:
    """Set `ancestors` and the country code of `row` from its parent. Raise Invalid if `row` breaks a rule of places.

    Call it under `lock_tree`. Without `code_given` the country code follows the country. With it, another code than
    the country's is refused.
    """
    parent = _above(row.parent_id)
    check_parent(place_id=row.id, kind=row.kind, parent=parent, named=row.parent_id is not None)
    if not row._state.adding:
        inside = Destination.objects.filter(parent_id=row.id).values_list("kind", flat=True)
        check_kind(kind=row.kind, kinds_inside=list(inside))
    row.ancestors = [*parent.ancestors, parent.id] if parent else []
    if parent:
        if code_given:
            check_country_code(given=row.country_code, country=parent.country_code)
        row.country_code = parent.country_code
    check_time_zone(row.time_zone)
    check_currency(row.currency)
    check_pairs(
        latitude=row.latitude, longitude=row.longitude, season_from=row.season_from_month, season_to=row.season_to_month
    )


def move(row: Destination, *, above: list[UUID], country_code: str) -> None:
    """Let all that follows from the new position of `row` follow. `above` and `country_code` are the former ones.

    Every place below gets its new ancestors and country code, as its next version, and is published. The places above
    lose or gain the popularity of `row`. Call it after `row` is saved, in the same transaction.
    """
    left, entered = sorted(set(above) - set(row.ancestors)), sorted(set(row.ancestors) - set(above))
    if not (left or entered or country_code != row.country_code):
        return
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"id": row.id, "above": row.ancestors, "code": row.country_code})
        moved = [Destination(id=id, slug=slug, version=version) for id, slug, version in cursor.fetchall()]
        for ids, sign in ((left, -1), (entered, 1)):
            cursor.execute(
                "UPDATE catalogue_destination SET popularity = popularity + %s WHERE id = ANY(%s)",
                [sign * row.popularity, ids],
            )
    refresh_search(ids=[row.id, *left, *entered, *(place.id for place in moved)])
    for place in moved:
        events.publish_destination(place)


def _above(parent_id: UUID | None) -> Above | None:
    if parent_id is None:
        return None
    found = Destination.objects.filter(id=parent_id).values_list("id", "kind", "ancestors", "country_code").first()
    return Above(found[0], found[1], tuple(found[2]), found[3]) if found else None
