"""From a destination's row to the picture that is drawn of it."""

from pathlib import Path

from django.conf import settings

from destinations_service.catalogue.models import Destination
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.photos.drawing import Place
from destinations_service.catalogue.seed_data import CONTINENTS


def drawn_photo(destination: Destination, *, width: int) -> Path:
    """Return the JPEG file of a destination's drawn photo in one of drawing.RENDITION_WIDTHS, drawing it when first asked for.

    About 50 ms when it is drawn, nothing but a look at the file afterwards. Raises ValueError for another width.
    """
    root = Path(settings.MEDIA_ROOT)
    path = library.path_of(root, destination.slug, width)
    return path if path.exists() else library.drawn(root, destination.slug, width, place_of(destination))


def place_of(destination: Destination) -> Place:
    """Return what is drawn of a destination: its English name over the continent, the country, or the city and the country."""
    continent = library.continent_of(destination.country_code)
    names = {
        row.destination_id: row.name
        for row in destination.translations.model.objects.filter(
            destination_id__in=[destination.id, *destination.ancestors], language="EN"
        )
    }
    above = ", ".join(names[ancestor] for ancestor in reversed(destination.ancestors) if ancestor in names)
    return Place(
        name=names.get(destination.id, destination.slug),
        subtitle=above or CONTINENTS[continent][1],
        kind=destination.kind,
        country=destination.country_code,
        continent=continent,
        latitude=destination.latitude or 0.0,
        longitude=destination.longitude or 0.0,
    )
