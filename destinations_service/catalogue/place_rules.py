"""The rules of places: what may be inside what, and which codes, coordinates and time zones a place may have.

Pure: takes values and raises. No clock, no settings, no database.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import available_timezones

from destinations_service.catalogue.contracts import PriceDetails
from shared.errors import Conflict, Invalid
from shared.money import CURRENCIES, exponent
from shared.text import Text

MAY_BE_IN: Final = {"COUNTRY": (), "CITY": ("COUNTRY",), "POINT_OF_INTEREST": ("CITY", "COUNTRY")}
_PARENT: Final = {
    "COUNTRY": Text(
        en="A country is not inside another place: leave the parent empty.",
        fr="Un pays n’est dans aucun autre lieu : laissez le parent vide.",
    ),
    "CITY": Text(
        en="A city is inside a country: choose a country as its parent.",
        fr="Une ville est dans un pays : choisissez un pays comme parent.",
    ),
    "POINT_OF_INTEREST": Text(
        en="A point of interest is inside a city or a country: choose one of them as its parent.",
        fr="Un site est dans une ville ou un pays : choisissez l’un d’eux comme parent.",
    ),
}
_NAMES: Final = {
    "COUNTRY": Text(en="a country", fr="un pays"),
    "CITY": Text(en="a city", fr="une ville"),
    "POINT_OF_INTEREST": Text(en="a point of interest", fr="un site"),
}
_KINDS: Final = Text(
    en="A place is a COUNTRY, a CITY or a POINT_OF_INTEREST.", fr="Un lieu est COUNTRY, CITY ou POINT_OF_INTEREST."
)
_INSIDE_ITSELF: Final = Text(
    en="A place cannot be inside itself or inside a place below it: choose another parent.",
    fr="Un lieu ne peut être dans lui-même ni dans un lieu qu’il contient : choisissez un autre parent.",
)
_KIND: Final = Text(
    en="It cannot become {kind}, because {count} places inside it could not be inside {kind}: move them first.",
    fr="Il ne peut devenir {kind}, car {count} lieux qu’il contient ne peuvent être dans {kind} : déplacez-les.",
)
_COUNTRY_CODE: Final = Text(
    en="It is inside the country {code}, so its country code is {code} and not {given}.",
    fr="Il est dans le pays {code} : son code de pays est donc {code} et non {given}.",
)
_TIME_ZONE: Final = Text(
    en="This is not a time zone. Write the name of an IANA time zone, such as Europe/Paris or Asia/Tokyo.",
    fr="Ce n’est pas un fuseau horaire. Écrivez le nom d’un fuseau IANA, comme Europe/Paris ou Asia/Tokyo.",
)
_CURRENCY: Final = Text(
    en="This is not a currency. Write the ISO 4217 code of a currency that people pay with, such as EUR, USD or JPY.",
    fr="Ce n’est pas une devise. Écrivez le code ISO 4217 d’une devise de paiement, comme EUR, USD ou JPY.",
)
_COORDINATES: Final = Text(
    en="Latitude and longitude belong together: write both, or leave both empty.",
    fr="Latitude et longitude vont ensemble : écrivez les deux, ou laissez les deux vides.",
)
_SEASON: Final = Text(
    en="The first and the last month belong together: write both, from 1 to 12, or leave both empty.",
    fr="Le premier et le dernier mois vont ensemble : écrivez les deux, de 1 à 12, ou laissez les deux vides.",
)

_TOO_FINE: Final = Text(
    en="An amount of {currency} has at most {places} decimal places.",
    fr="Un montant en {currency} a au plus {places} décimales.",
)
_DAY_TO_COME: Final = Text(
    en="A price is of a day that has passed: at the latest {today}.",
    fr="Un prix date d’un jour passé : au plus tard {today}.",
)


class SlugLeadsElsewhere(Conflict):
    """The slug is an earlier address of another row, so that links to it lead there."""

    code = "SLUG_LEADS_ELSEWHERE"
    text = Text(
        en="{slug} is an earlier address of {other}, and links to it lead there. Choose another slug, or remove the"
        " redirect from {other} first.",
        fr="{slug} est une ancienne adresse de {other}, et ses liens y mènent. Choisissez un autre identifiant, ou"
        " retirez d’abord la redirection de {other}.",
    )


class SlugTaken(Conflict):
    """Another row has the slug."""

    code = "SLUG_TAKEN"
    text = Text(
        en="Another entry has the slug {slug}. Choose another one.", fr="Une autre fiche a l’identifiant {slug}."
    )


@dataclass(frozen=True, slots=True)
class Above:
    """The place that another one is inside."""

    id: UUID
    kind: str
    ancestors: tuple[UUID, ...]
    country_code: str


def check_parent(*, place_id: UUID, kind: str, parent: Above | None, named: bool) -> None:
    """Raise Invalid unless a place of `kind` may be inside `parent`. `named` says that a parent was given at all."""
    if kind not in MAY_BE_IN:
        raise Invalid(field="kind", text=_KINDS)
    if parent is not None and place_id in (parent.id, *parent.ancestors):
        raise Invalid(field="parentId", text=_INSIDE_ITSELF)
    allowed = MAY_BE_IN[kind]
    if (parent is None and (named or allowed)) or (parent is not None and parent.kind not in allowed):
        raise Invalid(field="parentId", text=_PARENT[kind])


def check_kind(*, kind: str, kinds_inside: Collection[str]) -> None:
    """Raise Invalid if a place of one of `kinds_inside` could not be inside a place of `kind`."""
    misplaced = sum(kind not in MAY_BE_IN[inside] for inside in kinds_inside)
    if misplaced:
        name = _NAMES[kind]
        text = Text(en=_KIND.en.replace("{kind}", name.en), fr=_KIND.fr.replace("{kind}", name.fr))
        raise Invalid(field="kind", text=text, count=misplaced)


def check_country_code(*, given: str, country: str) -> None:
    """Raise Invalid unless the code of a place is that of the country that it is inside."""
    if given != country:
        raise Invalid(field="countryCode", text=_COUNTRY_CODE, given=given, code=country)


def check_time_zone(name: str) -> None:
    """Raise Invalid unless `name` is empty or that of an IANA time zone."""
    if name and name not in available_timezones():
        raise Invalid(field="timeZone", text=_TIME_ZONE)


def check_currency(code: str) -> None:
    """Raise Invalid unless `code` is that of a currency that people pay with."""
    if code not in CURRENCIES:
        raise Invalid(field="currency", text=_CURRENCY)


def check_pairs(
    *, latitude: float | None, longitude: float | None, season_from: int | None, season_to: int | None
) -> None:
    """Raise Invalid for half of the coordinates, or for half of the season."""
    if (latitude is None) != (longitude is None):
        raise Invalid(field="latitude" if latitude is None else "longitude", text=_COORDINATES)
    if (season_from is None) != (season_to is None):
        raise Invalid(field="seasonFromMonth" if season_from is None else "seasonToMonth", text=_SEASON)


def check_price(price: PriceDetails, *, today: date, field: str) -> None:
    """Raise Invalid for an average price that is finer than its currency, or of a day to come."""
    if price.currency not in CURRENCIES:
        raise Invalid(field=f"{field}.currency", text=_CURRENCY)
    places = exponent(price.currency)
    if price.amount != round(price.amount, places):
        raise Invalid(field=f"{field}.amount", text=_TOO_FINE, currency=price.currency, places=places)
    if price.as_of > today:
        raise Invalid(field=f"{field}.asOf", text=_DAY_TO_COME, today=today.isoformat())
