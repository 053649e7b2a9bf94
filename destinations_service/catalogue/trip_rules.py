"""The rules of trips: groups, booking window, meeting point, languages and cancellation policy.

Pure: takes values and raises. No clock, no settings, no database.
"""

import re
from collections.abc import Collection
from typing import Final

from shared.errors import Conflict, Invalid
from shared.text import Text

_GROUP: Final = Text(
    en="The minimum group must be at most the maximum group of {maximum}.",
    fr="Le groupe minimum doit être au plus le groupe maximum de {maximum}.",
)
_POINT: Final = Text(
    en="Latitude and longitude of the meeting point belong together: give both or none.",
    fr="La latitude et la longitude du point de rendez-vous vont ensemble : donnez les deux ou aucune.",
)
_LANGUAGE: Final = Text(
    en="A language is an ISO 639-1 code of two small letters, such as en.",
    fr="Une langue est un code ISO 639-1 de deux lettres minuscules, comme en.",
)
_POLICY: Final = Text(
    en="Each number of days may have one rule: {days} has two.", fr="Chaque délai n’a qu’une règle : {days} en a deux."
)
_WINDOW: Final = Text(
    en="Booking must close after it opens: {closes} hours before departure is earlier than {opens} days.",
    fr="La réservation doit fermer après son ouverture : {closes} heures avant le départ précèdent {opens} jours.",
)


class TripHasDepartures(Conflict):
    """Departures of the trip contradict the change."""

    code = "TRIP_HAS_DEPARTURES"
    text = Text(
        en="The trip has departures, so its currency, duration and destination stay. Make a new trip instead.",
        fr="Le voyage a des départs : sa devise, sa durée et sa destination restent. Créez plutôt un nouveau voyage.",
    )


def check_trip(
    *, minimum_group: int | None, maximum_group: int | None, latitude: float | None, longitude: float | None,
    languages: Collection[str], opens_days: int | None, closes_hours: int,
) -> None:  # fmt: skip
    """Raise Invalid, naming the field and what is allowed, if a rule is broken."""
    if minimum_group is not None and maximum_group is not None and minimum_group > maximum_group:
        raise Invalid(field="minimumGroup", text=_GROUP, maximum=maximum_group)
    if (latitude is None) != (longitude is None):
        raise Invalid(field="meetingLatitude" if latitude is None else "meetingLongitude", text=_POINT)
    if any(not re.fullmatch(r"[a-z]{2}", language, re.ASCII) for language in languages):
        raise Invalid(field="languages", text=_LANGUAGE)
    if opens_days is not None and closes_hours >= opens_days * 24:
        raise Invalid(field="bookingClosesHours", text=_WINDOW, closes=closes_hours, opens=opens_days)


def check_policy(days: Collection[int]) -> None:
    """Raise Invalid if two rules have the same number of days."""
    twice = next((day for day in days if list(days).count(day) > 1), None)
    if twice is not None:
        raise Invalid(field="cancellationPolicy", text=_POLICY, days=twice)
