"""The files of drawn photos: one folder per place below the media root, with one file per width.

The path depends only on the slug and the width. Seeding and the first request therefore write the same files.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS, Place, draw, renditions
from destinations_service.catalogue.seed_data import countries

CREDIT: Final = "Drawn from GeoNames and Natural Earth"
LICENSE: Final = "CC BY 4.0"
FOLDER: Final = "drawn"
DEFAULT_CONTINENT: Final = "EU"  # for the palette of a country that is not in the seed data


def drawn(root: Path, slug: str, width: int, place: Place) -> Path:
    """Return the JPEG of a place's photo in one of RENDITION_WIDTHS. Draw it first if it is missing.

    Many threads and processes may call this at once: a file appears only when it is complete.
    Raises ValueError for another width.
    """
    if width not in RENDITION_WIDTHS:
        raise ValueError(f"photos are not drawn {width} pixels wide")
    path = path_of(root, slug, width)
    if not path.exists():
        keep(root, slug, place)
    return path


def path_of(root: Path, slug: str, width: int) -> Path:
    """Return the path of a place's photo, whether or not the file exists."""
    return root / FOLDER / slug / f"{width}.jpg"


def keep(root: Path, slug: str, place: Place) -> None:
    """Draw a place's photo and write a file per width. Each file appears only when it is complete."""
    for width, content in renditions(draw(place)).items():
        path = path_of(root, slug, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)


def keep_many(root: Path, places: Iterable[tuple[str, Place]]) -> int:
    """Draw the missing photos of many (slug, place) pairs, on up to four processors. Return how many were drawn."""
    missing = [
        (slug, place)
        for slug, place in places
        if not all(path_of(root, slug, width).exists() for width in RENDITION_WIDTHS)
    ]
    workers = min(os.cpu_count() or 1, 4, len(missing))
    if workers < 2:
        for slug, place in missing:
            keep(root, slug, place)
        return len(missing)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(partial(_keep_all, root), _batches(missing, 16)):
            pass
    return len(missing)


def _keep_all(root: Path, places: list[tuple[str, Place]]) -> None:
    for slug, place in places:
        keep(root, slug, place)


def _batches(places: list[tuple[str, Place]], size: int) -> Iterator[list[tuple[str, Place]]]:
    for start in range(0, len(places), size):
        yield places[start : start + size]


@cache
def continents() -> dict[str, str]:
    """Return the continent's code by country code."""
    return {country.code: country.continent for country in countries()}


def continent_of(country_code: str) -> str:
    """Return the code of a country's continent, which chooses the palette of its photos."""
    return continents().get(country_code, DEFAULT_CONTINENT)
