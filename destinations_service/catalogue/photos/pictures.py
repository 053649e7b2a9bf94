"""The drawn photos of destinations and trips."""

from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from django.conf import settings

from destinations_service.catalogue.models import Destination, Photo, Trip
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.photos.drawing import Place
from destinations_service.catalogue.seed_data import CONTINENTS

TRIPS: Final = "trips"  # the folder of their files, below that of the drawn photos


def drawn_photo(destination: Destination, *, width: int) -> Path:
    """Return the JPEG file of a destination's photo in one of RENDITION_WIDTHS.

    The first call draws it, in about 50 ms.

    Raises ValueError for another width.
    """
    root = Path(settings.MEDIA_ROOT)
    path = library.path_of(root, destination.slug, width)
    return path if path.exists() else library.drawn(root, destination.slug, width, place_of(destination))


def drawn_file(photo: Photo, *, width: int) -> Path:
    """Return the JPEG file of a drawn photo, of a destination or of a trip. Raises ValueError for another width."""
    if photo.trip is None:
        return drawn_photo(cast("Destination", photo.destination), width=width)
    folder, root = f"{TRIPS}/{photo.trip.slug}", Path(settings.MEDIA_ROOT)
    path = library.path_of(root, folder, width)
    return path if path.exists() else library.drawn(root, folder, width, place_of_trip(photo.trip))


def place_of_trip(trip: Trip) -> Place:
    """Return what the photo of a trip shows: its English title, and the place that it goes to."""
    place = place_of(trip.destination)
    title = trip.translations.filter(language="EN").values_list("title", flat=True).first()
    where = ", ".join(part for part in (place.name, place.subtitle) if part)
    return replace(place, name=title or trip.slug, subtitle=where)


def place_of(destination: Destination) -> Place:
    """Return what the photo of a destination shows: its English name, and below it the places that contain it."""
    continent = library.continent_of(destination.country_code)
    names = {
        row.destination_id: row.name
        for row in destination.translations.model.objects.filter(
            destination_id__in=[destination.id, *destination.ancestors], language="EN"
        )
    }
    containing = ", ".join(names[ancestor] for ancestor in reversed(destination.ancestors) if ancestor in names)
    return Place(
        name=names.get(destination.id, destination.slug),
        subtitle=containing or CONTINENTS[continent][1],
        kind=destination.kind,
        country=destination.country_code,
        continent=continent,
        latitude=destination.latitude or 0.0,
        longitude=destination.longitude or 0.0,
    )
