"""The committed data that seeding fills the catalogue with, read into values. README.md names the source of each file."""

import csv
import gzip
import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from shared.money import CURRENCIES

SEED_DATA: Final = Path(__file__).parent
WORLD: Final = SEED_DATA / "world.tsv.xz"  # read by importing, as every GeoNames file is
PRICES_AS_OF: Final = date(2026, 11, 1)
CONTINENTS: Final[Mapping[str, tuple[str, str, str]]] = {  # tag, English, French
    "AF": ("africa", "Africa", "Afrique"),
    "AN": ("antarctica", "Antarctica", "Antarctique"),
    "AS": ("asia", "Asia", "Asie"),
    "EU": ("europe", "Europe", "Europe"),
    "NA": ("north-america", "North America", "Amérique du Nord"),
    "OC": ("oceania", "Oceania", "Océanie"),
    "SA": ("south-america", "South America", "Amérique du Sud"),
}


@dataclass(frozen=True, slots=True)
class CountryRow:
    slug: str
    code: str
    name_en: str
    name_fr: str
    continent: str
    currency: str
    capital: str
    latitude: float
    longitude: float
    population: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class CityRow:
    slug: str
    geonames_name: str
    name_en: str
    name_fr: str
    country: str
    latitude: float
    longitude: float
    population: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class PointOfInterestRow:
    """`city` is the GeoNames name of the city. `admission` is an estimate in the country's currency, 0 if free."""

    slug: str
    country: str
    city: str
    name_en: str
    name_fr: str
    latitude: float
    longitude: float
    admission: Decimal
    tags: tuple[str, ...]
    summary_en: str
    summary_fr: str


@dataclass(frozen=True, slots=True)
class TripRow:
    """`city` is the GeoNames name of the city. `policy` is a key of POLICIES. The price is for an adult, with tax."""

    slug: str
    country: str
    city: str
    days: int
    currency: str
    adult_price: int
    tax_basis_points: int
    policy: str
    title_en: str
    title_fr: str
    summary_en: str
    summary_fr: str


@dataclass(frozen=True, slots=True)
class NameRow:
    """A name of a country or city beside those in English and French. `language` is empty if it is unknown."""

    slug: str
    language: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """Units of `currency` for one euro, on `day`."""

    day: date
    currency: str
    rate: Decimal


def _rows(name: str) -> Iterator[dict[str, str]]:
    path = SEED_DATA / name
    with (
        gzip.open(path, "rt", encoding="utf-8", newline="")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8", newline="") as file
    ):
        if ".tsv" in name:
            yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        else:
            yield from csv.DictReader(file)


@cache
def countries() -> tuple[CountryRow, ...]:
    """Return every country, in the order of the codes."""
    return tuple(
        CountryRow(
            slug=row["slug"],
            code=row["code"],
            name_en=row["name_en"],
            name_fr=row["name_fr"],
            continent=row["continent"],
            currency=row["currency"],
            capital=row["capital"],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            population=int(row["population"]),
            time_zone=row["time_zone"],
        )
        for row in _rows("countries.csv")
    )


@cache
def cities() -> tuple[CityRow, ...]:
    """Return the cities, largest first."""
    return tuple(
        CityRow(
            slug=row["slug"],
            geonames_name=row["geonames_name"],
            name_en=row["name_en"],
            name_fr=row["name_fr"] or row["name_en"],
            country=row["country"],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            population=int(row["population"]),
            time_zone=row["time_zone"],
        )
        for row in _rows("cities.csv.gz")
    )


@cache
def city_of() -> dict[tuple[str, str], CityRow]:
    """Return cities by (country code, GeoNames name). If two have the same name, the larger one is returned."""
    return {(city.country, city.geonames_name): city for city in reversed(cities())}


def place_names() -> Iterator[NameRow]:
    """Yield the other names of countries and cities, by place."""
    with lzma.open(SEED_DATA / "names.tsv.xz", "rt", encoding="utf-8", newline="") as file:
        next(file)
        for line in file:
            yield NameRow(*line.rstrip("\n").split("\t"))


@cache
def points_of_interest() -> tuple[PointOfInterestRow, ...]:
    """Return the points of interest, in the file's order."""
    return tuple(
        PointOfInterestRow(
            slug=row["slug"],
            country=row["country"],
            city=row["city"],
            name_en=row["name_en"],
            name_fr=row["name_fr"],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            admission=Decimal(row["admission"]),
            tags=tuple(row["tags"].split(",")),
            summary_en=row["summary_en"],
            summary_fr=row["summary_fr"],
        )
        for row in _rows("points_of_interest.tsv")
    )


@cache
def trips() -> tuple[TripRow, ...]:
    """Return the trips, in the file's order: the best-known first."""
    return tuple(
        TripRow(
            slug=row["slug"],
            country=row["country"],
            city=row["city"],
            days=int(row["days"]),
            currency=row["currency"],
            adult_price=int(row["adult_price"]),
            tax_basis_points=int(row["tax_basis_points"]),
            policy=row["policy"],
            title_en=row["title_en"],
            title_fr=row["title_fr"],
            summary_en=row["summary_en"],
            summary_fr=row["summary_fr"],
        )
        for row in _rows("trips.tsv")
    )


@cache
def exchange_rates() -> tuple[RateRow, ...]:
    """Return the reference rates of the European Central Bank, all of one day."""
    return tuple(
        RateRow(date.fromisoformat(row["date"]), row["currency"], Decimal(row["units_per_euro"]))
        for row in _rows("exchange_rates.csv")
    )


@cache
def sample_rates() -> tuple[RateRow, ...]:
    """Return a rate for every currency of the samples that has no reference rate. They are of PRICES_AS_OF."""
    dollar = next(row.rate for row in exchange_rates() if row.currency == "USD")
    known = {row.currency for row in exchange_rates()} | {"EUR"}
    return tuple(
        RateRow(PRICES_AS_OF, currency, round(units * dollar, 6))
        for currency, units in _samples().items()
        if currency in CURRENCIES - known
    )


def _samples() -> dict[str, Decimal]:
    with (SEED_DATA / "other_currencies.tsv").open(encoding="utf-8") as file:
        return {currency: Decimal(units) for currency, units in csv.reader(file, delimiter="\t")}


@cache
def units_per_dollar() -> dict[str, Decimal]:
    """Return the units of each currency for one US dollar: from the reference rates if there is one, else from the samples."""
    samples = _samples()
    per_euro = {row.currency: row.rate for row in exchange_rates()}
    dollar = per_euro["USD"]
    return samples | {currency: rate / dollar for currency, rate in per_euro.items()} | {"EUR": 1 / dollar}


@cache
def price_levels() -> dict[str, Decimal]:
    """Return the cost of travelling by country code, where the United States are 1. The values are samples."""
    with (SEED_DATA / "price_levels.tsv").open(encoding="utf-8") as file:
        return {
            code: Decimal(level) / 115 for level, codes in csv.reader(file, delimiter="\t") for code in codes.split()
        }
