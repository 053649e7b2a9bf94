"""Outlines of countries and the larger cities, held once per process, for the maps of drawn photos."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import cos, radians
from typing import Final

from destinations_service.catalogue.seed_data import SEED_DATA, cities

DOTS_FROM_POPULATION: Final = 150_000


@dataclass(frozen=True, slots=True)
class Ring:
    """One outline: longitudes and latitudes, and the box around them: its sides, its middle longitude, half its width."""

    country: str
    points: tuple[tuple[float, float], ...]
    west: float
    east: float
    south: float
    north: float
    middle: float
    half: float

    @property
    def area(self) -> float:
        """Of the box, in square degrees as seen on the ground."""
        return (self.east - self.west) * (self.north - self.south) * cos(radians((self.north + self.south) / 2))


@dataclass(frozen=True, slots=True)
class Dot:
    """A city as it stands on the map."""

    name: str
    country: str
    longitude: float
    latitude: float
    population: int


@dataclass(frozen=True, slots=True)
class View:
    """A window of the map: its middle, in degrees, and how many pixels one degree of latitude takes."""

    latitude: float
    longitude: float
    scale: float
    width: int
    height: int

    def xy(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return where a point lies, in pixels from the top left."""
        return (
            self.width / 2 + around(longitude - self.longitude) * self.scale * cos(radians(self.latitude)),
            self.height / 2 - (latitude - self.latitude) * self.scale,
        )

    @property
    def half_width(self) -> float:
        """Degrees of longitude from the middle to either side."""
        return self.width / 2 / self.scale / max(cos(radians(self.latitude)), 0.05)

    @property
    def half_height(self) -> float:
        """Degrees of latitude from the middle to the top or the foot."""
        return self.height / 2 / self.scale

    def shown(self, rings: Iterable[Ring]) -> list[Ring]:
        """Return the outlines of whose boxes any part is in the window, but for those too small to be seen."""
        south, north = self.latitude - self.half_height, self.latitude + self.half_height
        half_width, middle, least = self.half_width, self.longitude, 1.5 / self.scale
        return [
            ring
            for ring in rings
            if ring.south < north
            and ring.north > south
            and ring.north - ring.south > least
            and abs((ring.middle - middle + 180) % 360 - 180) - ring.half < half_width
        ]

    def polygon(self, ring: Ring) -> list[tuple[float, float]]:
        """Return the ring's points in pixels, thinned where the window is too small to show them all."""
        turn = around(ring.middle - self.longitude) - (ring.middle - self.longitude)
        step = 1 if self.scale > 40 or len(ring.points) < 60 else 2 if self.scale > 14 else 4
        across = self.scale * cos(radians(self.latitude))
        left, top = self.width / 2 + (turn - self.longitude) * across, self.height / 2 + self.latitude * self.scale
        return [(left + x * across, top - y * self.scale) for x, y in ring.points[::step]]


def around(degrees: float) -> float:
    """Return the same angle between -180 and 180."""
    return (degrees + 180) % 360 - 180


@cache
def rings() -> tuple[Ring, ...]:
    """Return the outlines of all countries; a country's largest come first."""
    return tuple(_rings())


def _rings() -> Iterator[Ring]:
    with gzip.open(SEED_DATA / "borders.json.gz") as file:
        borders: dict[str, list[list[float]]] = json.load(file)
    for country, outlines in borders.items():
        for outline in outlines:
            points = tuple(zip(outline[::2], outline[1::2], strict=True))
            xs, ys = [x for x, _ in points], [y for _, y in points]
            west, east = min(xs), max(xs)
            yield Ring(country, points, west, east, min(ys), max(ys), (west + east) / 2, (east - west) / 2)


@cache
def rings_of(country: str) -> tuple[Ring, ...]:
    """Return the outlines of one country that belong together: the largest, and those near it that are not tiny."""
    own = sorted((ring for ring in rings() if ring.country == country), key=lambda ring: ring.area, reverse=True)
    if not own:
        return ()
    main = own[0]
    reach_x, reach_y = (main.east - main.west) * 0.6 + 1, (main.north - main.south) * 0.6 + 1
    return tuple(
        ring
        for ring in own
        if ring.area >= main.area * 0.01
        and main.west - reach_x < (ring.west + ring.east) / 2 < main.east + reach_x
        and main.south - reach_y < (ring.south + ring.north) / 2 < main.north + reach_y
    )


@cache
def large_cities() -> tuple[Dot, ...]:
    """Return the larger cities, largest first."""
    return tuple(
        Dot(city.name_en, city.country, city.longitude, city.latitude, city.population)
        for city in cities()
        if city.population >= DOTS_FROM_POPULATION
    )
