"""The other names of seeded places: in other languages, in other scripts, and abbreviations."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import connection

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.models import PlaceName

NewName = tuple[UUID, str, str, str]  # place, language, kind, name

_COPY: Final = "COPY catalogue_placename (destination_id, language, kind, name) FROM STDIN"


def new_names(ids: Mapping[str, UUID]) -> list[NewName]:
    """Return the names of the seed data for the places in `ids` that have no such name yet."""
    named = set(PlaceName.objects.order_by().values_list("destination_id", flat=True).distinct())
    wanted = {slug: id_ for slug, id_ in ids.items() if id_ not in named}
    if not wanted:
        return []
    return [
        (wanted[row.slug], row.language, row.kind, row.name) for row in seed_data.place_names() if row.slug in wanted
    ]


def write_names(names: Sequence[NewName]) -> None:
    """Write the names."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for name in names:
            copy.write_row(name)
