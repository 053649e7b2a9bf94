"""Drawn photos are pictures of fixed sizes, the same each time, for every kind of place."""

from io import BytesIO

import pytest
from PIL import Image

from destinations_service.catalogue.photos.drawing import (
    HEIGHT,
    RENDITION_WIDTHS,
    WIDTH,
    Place,
    draw,
    position,
    renditions,
)

KYOTO = Place("Kyoto", "Japan", "CITY", "JP", "AS", 35.02, 135.75)


@pytest.mark.parametrize(
    "place",
    [
        KYOTO,
        Place("Japan", "Asia", "COUNTRY", "JP", "AS", 36.5, 138.2),
        Place("Fiji", "Oceania", "COUNTRY", "FJ", "OC", -17.8, 178.0),
        Place("Antarctica", "Antarctica", "COUNTRY", "AQ", "AN", -80.0, 0.0),
        Place("Tuvalu, which has no outline", "Oceania", "COUNTRY", "TV", "OC", -8.5, 179.2),
        Place("Eiffel Tower", "Paris, France", "POINT_OF_INTEREST", "FR", "EU", 48.8584, 2.2945),
        Place(
            "A name so long that no line of any size could ever hold the whole of it, however small",
            "X",
            "CITY",
            "RU",
            "EU",
            66.0,
            -170.0,
        ),
    ],
    ids=lambda place: place.name[:20],
)
def test_every_place_can_be_drawn(place):
    image = draw(place)

    assert (image.size, image.mode) == ((WIDTH, HEIGHT), "RGB")
    assert len(image.getcolors(WIDTH * HEIGHT) or []) > 100


def test_renditions_are_jpegs_of_the_fixed_widths_without_metadata():
    files = renditions(draw(KYOTO))

    assert tuple(files) == RENDITION_WIDTHS
    for width, content in files.items():
        with Image.open(BytesIO(content)) as image:
            assert (image.format, image.width, image.height) == ("JPEG", width, width * HEIGHT // WIDTH)
            assert not image.getexif()


def test_the_same_place_gives_the_same_image():
    assert renditions(draw(KYOTO)) == renditions(draw(KYOTO))


def test_the_place_is_under_its_marker():
    """A little above the middle, where view_of puts it. Seen failing with the marker's tip at the image's centre."""
    assert draw(KYOTO).getpixel((WIDTH // 2, round(HEIGHT * 0.4) - 48)) == (255, 255, 255)


def test_positions_are_written_as_maps_write_them():
    assert position(Place("Ushuaia", "", "CITY", "AR", "SA", -54.81, -68.31)) == "54.81° S   68.31° W"
