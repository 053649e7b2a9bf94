"""The rows of countries, cities and points of interest, with their translations, prices and photos."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from destinations_service.catalogue import seed_data
from destinations_service.catalogue.models import AveragePrice, Destination, DestinationTranslation, OpeningHours, Photo
from destinations_service.catalogue.photos import library
from destinations_service.catalogue.photos.drawing import HEIGHT, WIDTH, Place
from destinations_service.catalogue.seeding import content, hours
from destinations_service.catalogue.seeding.content import Words

SIGHTS_NAMED: Final = 4
CITIES_NAMED: Final = 3
BATCH: Final = 50  # places; each has about ten rows
CURRENCY_OF_ANTARCTICA: Final = "USD"  # it has none of its own, and the column needs a value


@dataclass(frozen=True, slots=True)
class NewPlace:
    """One destination to write, with the rows that belong to it."""

    row: Destination
    name: Words
    summary: Words
    description: Words
    subtitle: Words
    prices: list[tuple[str, Decimal]]
    open: list[hours.Hours] = field(default_factory=list)


@dataclass
class Gazetteer:
    """Makes rows from the seed data, parents before children. `known` maps slugs in the database to their ids."""

    known: dict[str, UUID]
    ids: dict[str, UUID] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = dict(self.known)

    def new_places(self) -> Iterator[NewPlace]:
        """Yield every place whose slug is not in the database yet."""
        builders: tuple[tuple[Callable[[Any], NewPlace], Iterable[Any]], ...] = (
            (self._country, seed_data.countries()),
            (self._city, seed_data.cities()),
            (self._sight, seed_data.points_of_interest()),
        )
        for build, rows in builders:
            for row in rows:
                if row.slug not in self.known:
                    place = build(row)
                    place.row.daily_cost_eur = self._daily_cost(place)
                    self.ids[row.slug] = place.row.id
                    yield place

    def city_id(self, country: str, city: str) -> UUID:
        """Return the id of a city by its country code and its GeoNames name."""
        return self.ids[seed_data.city_of()[country, city].slug]

    @cached_property
    def euros_per_dollar(self) -> Decimal:
        """The exchange rate of the seed data's day."""
        return Decimal(1) / next(row.rate for row in seed_data.exchange_rates() if row.currency == "USD")

    @cached_property
    def countries(self) -> dict[str, seed_data.CountryRow]:
        """Countries by their code."""
        return {country.code: country for country in seed_data.countries()}

    @cached_property
    def largest_cities(self) -> dict[str, list[seed_data.CityRow]]:
        """The largest cities by country code."""
        largest: dict[str, list[seed_data.CityRow]] = defaultdict(list)
        for city in seed_data.cities():
            if len(largest[city.country]) < CITIES_NAMED:
                largest[city.country].append(city)
        return largest

    @cached_property
    def sights(self) -> dict[tuple[str, str], list[seed_data.PointOfInterestRow]]:
        """Points of interest by (country code, city), and all of a country by (country code, "")."""
        sights: dict[tuple[str, str], list[seed_data.PointOfInterestRow]] = defaultdict(list)
        for sight in seed_data.points_of_interest():
            sights[sight.country, sight.city].append(sight)
            sights[sight.country, ""].append(sight)
        return sights

    def sight_words(self, country: str, city: str = "") -> list[Words]:
        """Return the names of a few points of interest of a city, or of a country."""
        return [Words(sight.name_en, sight.name_fr) for sight in self.sights.get((country, city), [])[:SIGHTS_NAMED]]

    def _daily_cost(self, place: NewPlace) -> Decimal | None:
        """Return what a day costs in euros, or None for a place without that price."""
        midrange = dict(place.prices).get("DAY_MIDRANGE")
        if not midrange:
            return None
        return round(midrange / seed_data.units_per_dollar()[place.row.currency] * self.euros_per_dollar, 2)

    def _country(self, row: seed_data.CountryRow) -> NewPlace:
        capital = seed_data.city_of().get((row.code, row.capital))
        sights = self.sights.get((row.code, ""), [])
        level = seed_data.price_levels().get(row.code, content.DEFAULT_LEVEL)
        priced = row.currency and row.population
        units = seed_data.units_per_dollar()
        _, continent_en, continent_fr = seed_data.CONTINENTS[row.continent]
        return NewPlace(
            row=Destination(
                slug=row.slug,
                kind="COUNTRY",
                country_code=row.code,
                latitude=row.latitude,
                longitude=row.longitude,
                time_zone=row.time_zone,
                population=row.population or None,
                tags=content.country_tags(row, sights),
                currency=row.currency or CURRENCY_OF_ANTARCTICA,
            ),
            name=Words(row.name_en, row.name_fr),
            summary=content.country_summary(row, Words(capital.name_en, capital.name_fr) if capital else None),
            description=content.country_description(
                row,
                [Words(city.name_en, city.name_fr) for city in self.largest_cities.get(row.code, [])],
                self.sight_words(row.code),
            ),
            subtitle=Words(continent_en, continent_fr),
            prices=list(content.average_prices(level=level, units_per_dollar=units[row.currency])) if priced else [],
        )

    def _city(self, row: seed_data.CityRow) -> NewPlace:
        country = self.countries[row.country]
        capital = country.capital == row.geonames_name
        level = seed_data.price_levels().get(row.country, content.DEFAULT_LEVEL)
        prices = content.average_prices(
            level=level,
            units_per_dollar=seed_data.units_per_dollar()[country.currency or CURRENCY_OF_ANTARCTICA],
            population=row.population,
        )
        return NewPlace(
            row=Destination(
                slug=row.slug,
                kind="CITY",
                parent_id=self.ids[country.slug],
                ancestors=[self.ids[country.slug]],
                country_code=row.country,
                latitude=row.latitude,
                longitude=row.longitude,
                time_zone=row.time_zone,
                population=row.population,
                tags=content.city_tags(
                    row, country, self.sights.get((row.country, row.geonames_name), []), capital=capital
                ),
                currency=country.currency or CURRENCY_OF_ANTARCTICA,
            ),
            name=Words(row.name_en, row.name_fr),
            summary=content.city_summary(row, country, capital=capital),
            description=content.city_description(row, self.sight_words(row.country, row.geonames_name)),
            subtitle=Words(country.name_en, country.name_fr),
            prices=list(prices),
        )

    def _sight(self, row: seed_data.PointOfInterestRow) -> NewPlace:
        country = self.countries[row.country]
        city = seed_data.city_of()[row.country, row.city]
        months = hours.season(row)
        return NewPlace(
            row=Destination(
                slug=row.slug,
                kind="POINT_OF_INTEREST",
                parent_id=self.ids[city.slug],
                ancestors=[self.ids[country.slug], self.ids[city.slug]],
                country_code=row.country,
                latitude=row.latitude,
                longitude=row.longitude,
                time_zone=city.time_zone,
                tags=list(row.tags),
                currency=country.currency,
                season_from_month=months[0] if months else None,
                season_to_month=months[1] if months else None,
            ),
            name=Words(row.name_en, row.name_fr),
            summary=Words(row.summary_en, row.summary_fr),
            description=content.sight_description(row, Words(city.name_en, city.name_fr), country),
            subtitle=Words(f"{city.name_en}, {country.name_en}", f"{city.name_fr}, {country.name_fr}"),
            prices=[("ADMISSION", row.admission)],
            open=hours.opening_hours(row),
        )


def write_places(places: Sequence[NewPlace]) -> None:
    """Write the places and all that belongs to them, few at a time: the transaction waits while a batch is made."""
    for start in range(0, len(places), BATCH):
        _write_batch(places[start : start + BATCH])


def _write_batch(places: Sequence[NewPlace]) -> None:
    Destination.objects.bulk_create([place.row for place in places])
    DestinationTranslation.objects.bulk_create(
        [
            DestinationTranslation(
                destination_id=place.row.id,
                language=language,
                name=getattr(place.name, language.lower()),
                summary=getattr(place.summary, language.lower()),
                description=getattr(place.description, language.lower()),
            )
            for place in places
            for language in ("EN", "FR")
        ]
    )
    AveragePrice.objects.bulk_create(
        [
            AveragePrice(
                destination_id=place.row.id,
                category=category,
                amount=amount,
                currency=place.row.currency,
                as_of=seed_data.PRICES_AS_OF,
                source=content.SAMPLE_SOURCE,
                is_sample=True,
            )
            for place in places
            for category, amount in place.prices
        ]
    )
    OpeningHours.objects.bulk_create(
        [
            OpeningHours(destination_id=place.row.id, weekday=weekday, opens=opens, closes=closes)
            for place in places
            for weekday, opens, closes in place.open
        ]
    )
    Photo.objects.bulk_create([photo_of(place) for place in places])


def photo_of(place: NewPlace) -> Photo:
    """Return the row of a place's drawn photo. Its files are drawn by seeding or by the first request."""
    return Photo(
        destination_id=place.row.id,
        is_drawn=True,
        alt_en=f"Map: {place.name.en}, {place.subtitle.en}",
        alt_fr=f"Carte : {place.name.fr}, {place.subtitle.fr}",
        credit=library.CREDIT,
        license=library.LICENSE,
        width=WIDTH,
        height=HEIGHT,
    )


def drawn_at_seed(gazetteer: Gazetteer) -> Iterator[tuple[str, Place]]:
    """Yield (slug, place) of the photos that seeding draws: countries, points of interest, and cities with trips."""
    with_trips = {(trip.country, trip.city) for trip in seed_data.trips()}
    for country in seed_data.countries():
        _, continent, _ = seed_data.CONTINENTS[country.continent]
        yield (
            country.slug,
            Place(
                country.name_en,
                continent,
                "COUNTRY",
                country.code,
                country.continent,
                country.latitude,
                country.longitude,
            ),
        )
    for code, name in sorted(with_trips):
        city, country = seed_data.city_of()[code, name], gazetteer.countries[code]
        yield (
            city.slug,
            Place(city.name_en, country.name_en, "CITY", code, country.continent, city.latitude, city.longitude),
        )
    for sight in seed_data.points_of_interest():
        city, country = seed_data.city_of()[sight.country, sight.city], gazetteer.countries[sight.country]
        subtitle = f"{city.name_en}, {country.name_en}"
        yield (
            sight.slug,
            Place(
                sight.name_en,
                subtitle,
                "POINT_OF_INTEREST",
                sight.country,
                country.continent,
                sight.latitude,
                sight.longitude,
            ),
        )
