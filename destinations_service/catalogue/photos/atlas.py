"""Outlines of countries, and the larger cities, for the maps of drawn photos. They are read once per process."""

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
    """One outline: its points (longitude, latitude), and its bounding box with the box's middle and half width."""

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
        """The area of the bounding box, in square degrees corrected for the latitude."""
        return (self.east - self.west) * (self.north - self.south) * cos(radians((self.north + self.south) / 2))


@dataclass(frozen=True, slots=True)
class Dot:
    """A city on the map."""

    name: str
    country: str
    longitude: float
    latitude: float
    population: int


@dataclass(frozen=True, slots=True)
class View:
    """A window of the map: its middle in degrees, its scale in pixels per degree of latitude, its size in pixels."""

    latitude: float
    longitude: float
    scale: float
    width: int
    height: int

    def xy(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return the position of a point, in pixels from the top left."""
        return (
            self.width / 2 + around(longitude - self.longitude) * self.scale * cos(radians(self.latitude)),
            self.height / 2 - (latitude - self.latitude) * self.scale,
        )

    @property
    def half_width(self) -> float:
        """Half of the window's width, in degrees of longitude."""
        return self.width / 2 / self.scale / max(cos(radians(self.latitude)), 0.05)

    @property
    def half_height(self) -> float:
        """Half of the window's height, in degrees of latitude."""
        return self.height / 2 / self.scale

    def shown(self, rings: Iterable[Ring]) -> list[Ring]:
        """Return the outlines whose boxes overlap the window, without those that are too small to be seen."""
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
        """Return the ring's points in pixels. At small scales, return only every second or fourth point."""
        turn = around(ring.middle - self.longitude) - (ring.middle - self.longitude)
        step = 1 if self.scale > 40 or len(ring.points) < 60 else 2 if self.scale > 14 else 4
        across = self.scale * cos(radians(self.latitude))
        x_of_zero, y_of_zero = (
            self.width / 2 + (turn - self.longitude) * across,
            self.height / 2 + self.latitude * self.scale,
        )
        return [(x_of_zero + x * across, y_of_zero - y * self.scale) for x, y in ring.points[::step]]


def around(degrees: float) -> float:
    """Return the same angle between -180 and 180."""
    return (degrees + 180) % 360 - 180


@cache
def rings() -> tuple[Ring, ...]:
    """Return the outlines of all countries. The largest outlines of a country come first."""
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
    """Return the main outlines of a country: the largest, and those near it with at least 1 % of its area."""
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
    """Return the cities of DOTS_FROM_POPULATION people or more, largest first."""
    return tuple(
        Dot(city.name_en, city.country, city.longitude, city.latitude, city.population)
        for city in cities()
        if city.population >= DOTS_FROM_POPULATION
    )
