"""What trips contain, day by day, and when places can be visited. One statement each, for many at once."""

from collections.abc import Collection, Sequence
from datetime import time
from itertools import zip_longest
from typing import Any, Final
from uuid import UUID

from destinations_service.catalogue.contracts import (
    HoursView,
    ItineraryDayView,
    MeetingPointView,
    TripContentView,
    VisitingTimesView,
)
from destinations_service.catalogue.markdown import clean
from shared.statement import Statement
from shared.text import Text


def trip_contents(*, trip_ids: Collection[UUID]) -> list[TripContentView]:
    """Return the contents of the trips that exist, in the order of `trip_ids`."""
    contents = {content.trip_id: content for content in _CONTENTS.all(ids=list(trip_ids))}
    return [contents[key] for key in trip_ids if key in contents]


def visiting_times(*, destination_ids: Collection[UUID]) -> list[VisitingTimesView]:
    """Return the visiting times of the destinations that exist, in the order of `destination_ids`."""
    times = {view.destination_id: view for view in _TIMES.all(ids=list(destination_ids))}
    return [times[key] for key in destination_ids if key in times]


def _content(
    trip_id: UUID, latitude: float | None, longitude: float | None, point_en: str, point_fr: str,
    included_en: Sequence[str], included_fr: Sequence[str], excluded_en: Sequence[str], excluded_fr: Sequence[str],
    days: Sequence[Sequence[Any]],
) -> TripContentView:  # fmt: skip
    has_point = point_en or latitude is not None
    return TripContentView(
        trip_id,
        tuple(
            ItineraryDayView(
                day, Text(title_en, title_fr), Text(clean(text_en), clean(text_fr)), UUID(place) if place else None
            )
            for day, place, title_en, title_fr, text_en, text_fr in days
        ),
        _pairs(included_en, included_fr),
        _pairs(excluded_en, excluded_fr),
        MeetingPointView(Text(point_en, point_fr), latitude, longitude) if has_point else None,
    )


def _pairs(english: Sequence[str], french: Sequence[str]) -> tuple[Text, ...]:
    """Return the lines in both languages. A line without a translation is shown in the other language."""
    return tuple(Text(en or fr, fr or en) for en, fr in zip_longest(english, french, fillvalue=""))


def _times(
    destination_id: UUID, season_from: int | None, season_to: int | None, hours: Sequence[Sequence[Any]]
) -> VisitingTimesView:
    return VisitingTimesView(
        destination_id,
        tuple(HoursView(day, time.fromisoformat(opens), time.fromisoformat(closes)) for day, opens, closes in hours),
        season_from,
        season_to,
    )


# A text that is missing or empty in one language is shown in the other.
_CONTENTS: Final = Statement(
    _content,
    """
    SELECT trip.id, trip.meeting_latitude, trip.meeting_longitude,
           coalesce(nullif(en.meeting_point, ''), fr.meeting_point, ''),
           coalesce(nullif(fr.meeting_point, ''), en.meeting_point, ''),
           coalesce(en.included, '{}'), coalesce(fr.included, '{}'),
           coalesce(en.excluded, '{}'), coalesce(fr.excluded, '{}'),
           coalesce((
               SELECT json_agg(json_build_array(
                   day.day, day.destination_id,
                   coalesce(nullif(day_en.title, ''), day_fr.title, ''),
                   coalesce(nullif(day_fr.title, ''), day_en.title, ''),
                   coalesce(nullif(day_en.description, ''), day_fr.description, ''),
                   coalesce(nullif(day_fr.description, ''), day_en.description, '')) ORDER BY day.day)
               FROM catalogue_itineraryday AS day
               LEFT JOIN catalogue_itinerarydaytranslation AS day_en
                 ON day_en.itinerary_day_id = day.id AND day_en.language = 'EN'
               LEFT JOIN catalogue_itinerarydaytranslation AS day_fr
                 ON day_fr.itinerary_day_id = day.id AND day_fr.language = 'FR'
               WHERE day.trip_id = trip.id), '[]')
    FROM catalogue_trip AS trip
    LEFT JOIN catalogue_triptranslation AS en ON en.trip_id = trip.id AND en.language = 'EN'
    LEFT JOIN catalogue_triptranslation AS fr ON fr.trip_id = trip.id AND fr.language = 'FR'
    WHERE trip.id = ANY(%(ids)s)
    """,
)
_TIMES: Final = Statement(
    _times,
    """
    SELECT place.id, place.season_from_month, place.season_to_month,
           coalesce((SELECT json_agg(json_build_array(hours.weekday, hours.opens, hours.closes)
                                     ORDER BY hours.weekday, hours.opens)
                     FROM catalogue_openinghours AS hours WHERE hours.destination_id = place.id), '[]')
    FROM catalogue_destination AS place
    WHERE place.id = ANY(%(ids)s)
    """,
)
