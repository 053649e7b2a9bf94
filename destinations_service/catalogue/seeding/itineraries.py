"""What the seed data's trips contain: days, inclusions, meeting points, languages and groups, in both languages.

Pure and deterministic: takes a trip with its city and its sights, returns values. The texts are samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from destinations_service.catalogue.seed_data import CityRow, PointOfInterestRow, TripRow
from destinations_service.catalogue.seeding.content import Words
from destinations_service.catalogue.seeding.schedule import number

# Hours before departure. Seeded departures begin at least 19 hours after seeding, and all of them can be booked then.
CUT_OFFS: Final = (2, 4, 6, 12)
OPENS_DAYS: Final = (400, 540, 730)  # all departures of the next twelve months can be booked
LARGEST_GROUPS: Final = (90, 96, 100)  # not below the largest seeded capacity
SMALLEST_GROUPS: Final = (2, 3)  # not above the smallest seeded capacity
SPOKEN: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ES", "MX", "PE", "AR", "CL", "CO", "EC", "CR", "CU", "BO", "GT", "UY", "PA"), "es"),
    **dict.fromkeys(("PT", "BR", "MZ", "CV"), "pt"), **dict.fromkeys(("DE", "AT"), "de"),
    **dict.fromkeys(("EG", "JO", "OM", "AE", "TN", "MA"), "ar"), **dict.fromkeys(("CN", "TW"), "zh"),
    "IT": "it", "JP": "ja", "KR": "ko", "GR": "el", "TR": "tr", "NL": "nl", "PL": "pl", "RU": "ru", "ID": "id",
    "TH": "th", "VN": "vi", "IS": "is", "NO": "no", "SE": "sv", "DK": "da", "FI": "fi", "HR": "hr", "CZ": "cs",
    "HU": "hu", "RO": "ro", "IN": "hi",
}  # fmt: skip
_AT_THE_ENTRANCE: Final = frozenset({"museum", "palace", "library", "landmark", "monument", "castle", "market"})

_ARRIVALS: Final = (
    (Words("Arrival in {city}", "Arrivée : {city}"),
     Words("Your guide meets the group at **{hour}:00**. After a short walk to find your bearings, everyone sits down"
           " to a first dinner together.",
           "Votre guide accueille le groupe à **{hour} h**. Après une courte promenade pour prendre ses repères, tout"
           " le monde se retrouve autour d'un premier dîner.")),
    (Words("Welcome to {city}", "Bienvenue : {city}"),
     Words("Check in, leave your bags, and join the welcome drink at **{hour}:00**. The guide goes through the days"
           " ahead and answers questions.",
           "Installez-vous, posez vos bagages et rejoignez le verre de bienvenue à **{hour} h**. Le guide présente les"
           " jours à venir et répond aux questions.")),
    (Words("Meeting the group in {city}", "Rencontre du groupe : {city}"),
     Words("The afternoon is for arriving. From **{hour}:00** a gentle tour of the surrounding streets ends at a table"
           " of local dishes.",
           "L'après-midi est réservé aux arrivées. Dès **{hour} h**, un tour tranquille des rues voisines s'achève à"
           " une table de plats locaux.")),
)  # fmt: skip
_DEPARTURES: Final = (
    (Words("Farewell to {city}", "Au revoir, {city}"),
     Words("Breakfast, then time for a last walk or some shopping. The trip ends at **18:00** at the latest.",
           "Petit déjeuner, puis du temps pour une dernière promenade ou quelques achats. Le voyage se termine au plus"
           " tard à **18 h**.")),
    (Words("Last morning and departure", "Dernière matinée et départ"),
     Words("A slow breakfast and a final look at {city}. Onward journeys are best booked for the **evening**.",
           "Un petit déjeuner tranquille et un dernier regard sur la ville. Réservez de préférence la suite de votre"
           " voyage en **soirée**.")),
    (Words("The journey home", "Le retour"),
     Words("The guide helps with luggage and transfers. Rooms are kept until noon, and the trip ends at **18:00**.",
           "Le guide vous aide pour les bagages et les transferts. Les chambres restent disponibles jusqu'à midi ; le"
           " voyage se termine à **18 h**.")),
)  # fmt: skip
_SIGHTS: Final = (
    Words("The morning belongs to **{sight}**, before the crowds. {fact} Lunch is nearby, and the afternoon is free.",
          "La matinée est consacrée à ce lieu : **{sight}**, avant la foule. {fact} Déjeuner à proximité, après-midi"
          " libre."),
    Words("{fact} We spend half a day here with the guide, then walk back by the smaller streets.",
          "{fact} Nous y passons une demi-journée avec le guide, puis revenons à pied par les petites rues."),
    Words("After breakfast we set out for **{sight}**. {fact}\n\n- about three hours on site\n- comfortable shoes",
          "Après le petit déjeuner, départ pour la visite : **{sight}**. {fact}\n\n- environ trois heures sur place\n-"
          " chaussures confortables"),
    Words("We arrive in the late afternoon, when the light is best. {fact} Dinner follows in the neighbourhood.",
          "Nous arrivons en fin d'après-midi, quand la lumière est la plus belle. {fact} Le dîner suit dans le"
          " quartier."),
)  # fmt: skip
_THEMES: Final = (
    (Words("Markets and home cooking", "Marchés et cuisine familiale"),
     Words("A morning at the market, then a cooking lesson with a family in {city}. Lunch is what you made.",
           "Une matinée au marché, puis un cours de cuisine dans une famille. Au déjeuner : vos plats.")),
    (Words("On foot through {city}", "À pied : {city}"),
     Words("Six kilometres at an easy pace, with stops for stories, coffee and photographs.",
           "Six kilomètres à une allure tranquille, avec des pauses pour les récits, le café et les photos.")),
    (Words("A day in the country", "Une journée à la campagne"),
     Words("The group leaves by minibus for a village outside {city}. Picnic at noon, back before dinner.",
           "Le groupe part en minibus vers un village des environs. Pique-nique à midi, retour avant le dîner.")),
    (Words("A free day", "Journée libre"),
     Words("Nothing is planned. The guide suggests walks, museums and tables, and books what you choose.",
           "Rien n'est prévu. Le guide propose promenades, musées et tables, et réserve ce que vous choisissez.")),
    (Words("Makers and workshops", "Artisans et ateliers"),
     Words("Two workshops open their doors: watch, ask, and try the craft yourself for an hour.",
           "Deux ateliers ouvrent leurs portes : regardez, questionnez et essayez le métier pendant une heure.")),
    (Words("The long view", "Le grand panorama"),
     Words("A climb of about an hour leads to a viewpoint above {city}. Bring water and a hat.",
           "Une montée d'environ une heure mène à un belvédère. Emportez de l'eau et un chapeau.")),
    (Words("Past and present", "Hier et aujourd'hui"),
     Words("A local historian leads the morning. In the afternoon we see how the same streets live today.",
           "Un historien local guide la matinée. L'après-midi, nous voyons comment vivent ces mêmes rues.")),
    (Words("An early start", "Lever matinal"),
     Words("We set out at **6:30** for the quiet hours, and return to a late breakfast and a nap.",
           "Départ à **6 h 30** pour profiter du calme, puis retour pour un petit déjeuner tardif et une sieste.")),
    (Words("An evening of music", "Une soirée en musique"),
     Words("The day is free until five. Then an early supper, and seats at a small concert.",
           "Journée libre jusqu'à dix-sept heures. Ensuite, un souper et des places pour un petit concert.")),
    (Words("By bicycle", "À vélo"),
     Words("About twenty flat kilometres on quiet roads. A vehicle follows for those who prefer to ride in it.",
           "Une vingtaine de kilomètres plats sur des routes calmes. Un véhicule suit pour ceux qui préfèrent.")),
    (Words("Gardens and tea", "Jardins et thé"),
     Words("A slow day: a garden in the morning, a long lunch in the shade, and tea to finish.",
           "Une journée lente : un jardin le matin, un long déjeuner à l'ombre et le thé pour finir.")),
    (Words("Off the map", "Hors des sentiers battus"),
     Words("The guide decides in the morning, by weather and mood. It is often the day that people remember.",
           "Le guide décide le matin, selon la météo et l'envie. C'est souvent la journée dont on se souvient.")),
)  # fmt: skip
_INCLUDED: Final = (
    Words("{nights} nights in a double room with breakfast", "{nights} nuits en chambre double avec petit déjeuner"),
    Words("A local guide for every 15 travellers", "Un guide local pour 15 voyageurs"),
    Words("Visits and entrance fees of the itinerary", "Visites et entrées prévues au programme"),
    Words("Welcome dinner on the first evening", "Dîner de bienvenue le premier soir"),
    Words("Transport during the trip", "Transports pendant le voyage"),
    Words("Help by telephone, day and night", "Assistance téléphonique, jour et nuit"),
)
_EXCLUDED: Final = (
    Words("Travel to and from {city}", "Trajet aller et retour (départ : {city})"),
    Words("Travel insurance", "Assurance voyage"),
    Words("Meals that the itinerary does not mention", "Repas non mentionnés au programme"),
    Words("Tips and personal expenses", "Pourboires et dépenses personnelles"),
    Words("Single room supplement", "Supplément chambre individuelle"),
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day. `sight` is the slug of the point of interest where it is spent, empty for the city."""

    day: int
    title: Words
    text: Words
    sight: str


@dataclass(frozen=True, slots=True)
class MeetingPoint:
    """Where the trip begins."""

    name: Words
    latitude: float
    longitude: float


def days(trip: TripRow, city: CityRow, sights: Sequence[PointOfInterestRow]) -> Iterator[Day]:
    """Yield the days of a trip: arrival, the sights of its city, other days in an order of its own, departure."""
    hour = 16 + number(trip.slug, "welcome") % 3
    title, text = _ARRIVALS[number(trip.slug, "arrival") % len(_ARRIVALS)]
    yield Day(1, _filled(title, city), _filled(text, city, hour=hour), "")
    start = number(trip.slug, "themes") % len(_THEMES)
    for at in range(trip.days - 2):
        if at < len(sights):
            sight = sights[at]
            words = _SIGHTS[(number(trip.slug, "sights") + at) % len(_SIGHTS)]
            text = Words(
                words.en.format(sight=sight.name_en, fact=sight.summary_en),
                words.fr.format(sight=sight.name_fr, fact=sight.summary_fr),
            )
            yield Day(at + 2, Words(sight.name_en, sight.name_fr), text, sight.slug)
        else:
            title, text = _THEMES[(start + 5 * at) % len(_THEMES)]  # 5 and 12 have no common divisor: no day twice
            yield Day(at + 2, _filled(title, city), _filled(text, city), "")
    if trip.days > 1:
        title, text = _DEPARTURES[number(trip.slug, "farewell") % len(_DEPARTURES)]
        yield Day(trip.days, _filled(title, city), _filled(text, city), "")


def included(trip: TripRow, city: CityRow) -> list[Words]:
    """Return what the price contains: the first three lines, and one of the others left out."""
    nights = trip.days - 1
    lines = [_filled(words, city, nights=nights) for words in _INCLUDED]
    if nights == 1:
        lines[0] = Words(lines[0].en.replace("1 nights", "1 night"), lines[0].fr.replace("1 nuits", "1 nuit"))
    del lines[3 + number(trip.slug, "included") % 3]
    return lines


def excluded(trip: TripRow, city: CityRow) -> list[Words]:
    """Return what the price does not contain."""
    lines = [_filled(words, city) for words in _EXCLUDED]
    return lines[: 3 + number(trip.slug, "excluded") % 3]


def meeting_point(trip: TripRow, city: CityRow, sights: Sequence[PointOfInterestRow]) -> MeetingPoint:
    """Return where the trip begins: at the entrance of a sight that has one, else at the hotel."""
    for sight in sights:
        if _AT_THE_ENTRANCE & set(sight.tags):
            return MeetingPoint(
                Words(f"Main entrance: {sight.name_en}", f"Entrée principale : {sight.name_fr}"),
                sight.latitude,
                sight.longitude,
            )
    name = Words(
        f"Reception of the hotel in the centre of {city.name_en}",
        f"Réception de l'hôtel, centre de la ville ({city.name_fr})",
    )
    return MeetingPoint(name, city.latitude, city.longitude)


def languages(trip: TripRow) -> list[str]:
    """Return the languages that the guide speaks: English, French, and often that of the country."""
    local = SPOKEN.get(trip.country)
    return ["en", "fr", local] if local else ["en", "fr"]


def _filled(words: Words, city: CityRow, **values: int) -> Words:
    return Words(words.en.format(city=city.name_en, **values), words.fr.format(city=city.name_fr, **values))
