"""Slugs and the addresses that they make: an earlier slug keeps finding its row."""

from typing import Final

from django.db.models import QuerySet

from destinations_service.catalogue.models import Destination, SlugRedirect, Trip
from destinations_service.catalogue.place_rules import SlugLeadsElsewhere


def check_slug(row: Destination | Trip) -> None:
    """Raise SlugLeadsElsewhere if the slug of `row` is an earlier one of another row.

    Links that people have kept would lead to the wrong place.
    """
    owner = _OWNERS[type(row)]
    other = _redirects(row).filter(slug=row.slug).exclude(**{f"{owner}_id": row.id}).select_related(owner).first()
    if other is not None:
        raise SlugLeadsElsewhere(field="slug", slug=row.slug, other=str(getattr(other, owner)))


def keep_addresses(row: Destination | Trip, *, former: str | None) -> None:
    """Keep the `former` slug of a row that was just saved as a redirect. None says that the row is new.

    A row that takes an earlier slug of its own back loses that redirect. Raises SlugLeadsElsewhere. Call it in the
    transaction of the write, after it: the unique slug makes a concurrent rename wait, so that its redirect is seen.
    """
    if former == row.slug:
        return
    check_slug(row)
    _redirects(row).filter(slug=row.slug).delete()
    if former is not None:
        SlugRedirect.objects.create(slug=former, **{_OWNERS[type(row)]: row})


def _redirects(row: Destination | Trip) -> QuerySet[SlugRedirect]:
    return SlugRedirect.objects.filter(**{f"{_OWNERS[type(row)]}__isnull": False})


_OWNERS: Final[dict[type, str]] = {Destination: "destination", Trip: "trip"}
