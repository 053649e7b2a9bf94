"""The texts about the seed data's places and trips, in English and French, and the sample prices of places.

Pure: takes rows and returns values. Prices of places are samples, and SAMPLE_SOURCE says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from destinations_service.catalogue.seed_data import CONTINENTS, CityRow, CountryRow, PointOfInterestRow, TripRow

SAMPLE_SOURCE: Final = "Sample: an estimate made for this catalogue, not a survey"
DEFAULT_LEVEL: Final = Decimal("0.45")
LARGE_CITY_FACTOR: Final = Decimal("1.15")
SMALL_CITY_FACTOR: Final = Decimal("0.95")
LARGE_CITY_POPULATION: Final = 1_000_000
IN_THE_UNITED_STATES: Final[Mapping[str, Decimal]] = {  # US dollars, for one person
    "DAY_BUDGET": Decimal(65),
    "DAY_MIDRANGE": Decimal(170),
    "DAY_LUXURY": Decimal(480),
    "HOTEL_NIGHT": Decimal(120),
    "MEAL": Decimal(20),
    "LOCAL_TRANSPORT": Decimal(3),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    en: str
    fr: str


def country_summary(country: CountryRow, capital: Words | None) -> Words:
    _, continent_en, continent_fr = CONTINENTS[country.continent]
    en, fr = [continent_en], [continent_fr]
    if capital:
        en.append(f"capital {capital.en}")
        fr.append(f"capitale {capital.fr}")
    if country.population:
        people = people_of(country.population)
        en.append(f"{people.en} people")
        fr.append(f"{people.fr} habitants")
    return Words(", ".join(en) + ".", with_of(", ".join(fr)) + ".")


def country_description(country: CountryRow, largest: Sequence[Words], sights: Sequence[Words]) -> Words:
    en, fr = [], []
    if largest:
        en.append(f"Largest cities: {listed(largest).en}.")
        fr.append(f"Plus grandes villes : {listed(largest).fr}.")
    if sights:
        en.append(f"Worth the journey: {listed(sights).en}.")
        fr.append(f"À voir : {listed(sights).fr}.")
    if country.currency:
        en.append(f"Prices are in {country.currency}.")
        fr.append(f"Les prix sont en {country.currency}.")
    if not en:
        return Words(
            "No town, no road: only those who come prepared.",
            "Ni ville ni route : seulement ceux qui viennent préparés.",
        )
    return Words(" ".join(en), " ".join(fr))


def city_summary(city: CityRow, country: CountryRow, *, capital: bool) -> Words:
    people = people_of(city.population)
    if capital:
        return Words(
            f"The capital of {country.name_en}, home to {people.en} people.",
            with_of(f"Capitale ({country.name_fr}), {people.fr} habitants") + ".",
        )
    return Words(
        f"A city of {people.en} people in {country.name_en}.",
        with_of(f"Ville de {people.fr} habitants ({country.name_fr})") + ".",
    )


def city_description(city: CityRow, sights: Sequence[Words]) -> Words:
    zone = city.time_zone
    if not sights:
        return Words(f"Local time is that of {zone}.", f"L'heure locale est celle de {zone}.")
    return Words(
        f"Worth seeing: {listed(sights).en}. Local time is that of {zone}.",
        f"À voir : {listed(sights).fr}. L'heure locale est celle de {zone}.",
    )


def sight_description(sight: PointOfInterestRow, city: Words, country: CountryRow) -> Words:
    if sight.admission:
        en, fr = (
            f"Admission: about {sight.admission} {country.currency}.",
            f"Entrée : environ {sight.admission} {country.currency}.",
        )
    else:
        en, fr = "Free to visit from outside.", "Visite extérieure gratuite."
    return Words(
        f"{sight.summary_en} In or near {city.en}, {country.name_en}. {en}",
        f"{sight.summary_fr} À {city.fr} ou aux environs ({country.name_fr}). {fr}".replace("À Le ", "Au "),
    )


def trip_description(trip: TripRow, city: Words, sights: Sequence[Words]) -> Words:
    en = [trip.summary_en, f"{trip.days} days, starting from {city.en}, with a local guide."]
    fr = [trip.summary_fr, f"{trip.days} jours, avec un guide local. Point de départ : {city.fr}."]
    if sights:
        en.append(f"Nearby: {listed(sights).en}.")
        fr.append(f"À proximité : {listed(sights).fr}.")
    return Words(" ".join(en), " ".join(fr))


def people_of(population: int) -> Words:
    """Return a population rounded for readers: `2.1 million`, `84,000`."""
    if population >= 1_000_000:
        millions = Decimal(population) / 1_000_000
        shown = (
            f"{millions:.0f}"
            if millions >= 100 or millions == millions.to_integral()
            else f"{millions:.1f}".removesuffix(".0")
        )
        return Words(f"{shown} million", f"{shown.replace('.', ',')} million{'s' if millions >= 2 else ''}")
    rounded = round(population, -3) if population >= 10_000 else population
    return Words(f"{rounded:,}", f"{rounded:,}".replace(",", "\u202f"))


def with_of(text: str) -> str:
    """Return a French phrase with the `d'` that it needs between `million` and a noun."""
    return text.replace("millions habitants", "millions d'habitants").replace(
        "million habitants", "million d'habitants"
    )


def listed(names: Sequence[Words]) -> Words:
    """Return names as one phrase: `a, b and c`."""
    first, last = names[:-1], names[-1]
    if not first:
        return last
    return Words(", ".join(n.en for n in first) + f" and {last.en}", ", ".join(n.fr for n in first) + f" et {last.fr}")


def country_tags(country: CountryRow, sights: Sequence[PointOfInterestRow]) -> list[str]:
    return sorted({CONTINENTS[country.continent][0]} | {tag for sight in sights for tag in sight.tags})


def city_tags(city: CityRow, country: CountryRow, sights: Sequence[PointOfInterestRow], *, capital: bool) -> list[str]:
    tags = {CONTINENTS[country.continent][0]} | {tag for sight in sights for tag in sight.tags}
    if capital:
        tags.add("capital")
    if city.population >= 1_000_000:
        tags.add("metropolis")
    return sorted(tags)


def average_prices(
    *, level: Decimal, units_per_dollar: Decimal, population: int | None = None
) -> Iterator[tuple[str, Decimal]]:
    """Yield category and sample price in the local currency: of a city if `population` is given, else of a country."""
    factor = (
        Decimal(1)
        if population is None
        else LARGE_CITY_FACTOR
        if population >= LARGE_CITY_POPULATION
        else SMALL_CITY_FACTOR
    )
    for category, dollars in IN_THE_UNITED_STATES.items():
        yield category, rounded_price(dollars * level * factor * units_per_dollar)


def rounded_price(amount: Decimal) -> Decimal:
    """Return `amount` with two significant digits: whole from 10 upward, else in tenths. It is never 0."""
    if amount < 10:
        return max(amount.quantize(Decimal("0.1"), ROUND_HALF_UP), Decimal("0.1"))
    step = Decimal(10) ** max(amount.adjusted() - 1, 0)
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step
