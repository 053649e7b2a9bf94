"""Opening hours and seasons of the seed data's points of interest. They are samples: usual values for their kind.

Pure: takes a point of interest, returns values.
"""

from datetime import time
from typing import Final

from destinations_service.catalogue.seed_data import PointOfInterestRow
from destinations_service.catalogue.seeding.schedule import number

Hours = tuple[int, time, time]

_DAILY: Final = (1, 2, 3, 4, 5, 6, 7)
_OPEN_LAND: Final = frozenset({
    "nature", "mountain", "island", "desert", "wildlife", "river", "beach", "waterfall", "safari", "lake", "geology",
    "trekking", "sea", "coast", "volcano", "fjord", "bay", "old-town", "square", "bridge", "viewpoint",
})  # fmt: skip
_FOR_WARM_MONTHS: Final = frozenset({"mountain", "trekking", "fjord", "lake", "beach", "coast", "boat", "waterfall"})
_NORTHERN_SUMMER: Final = (5, 10)
_SOUTHERN_SUMMER: Final = (11, 4)
_DRY_SEASON: Final = (6, 10)
_COOL_SEASON: Final = (10, 4)


def opening_hours(sight: PointOfInterestRow) -> list[Hours]:
    """Return weekday, opening and closing time. An open landscape has none."""
    tags = set(sight.tags)
    if "museum" in tags or "art" in tags or "library" in tags:
        closed = 1 + number(sight.slug, "closed") % 2  # Monday or Tuesday
        opens = time(9 + number(sight.slug, "opens") % 2)
        return [(day, opens, time(21) if day == 5 else time(18)) for day in _DAILY if day != closed]
    if "religion" in tags:
        return [
            part
            for day in _DAILY
            for part in ((day, time(8), time(12)), (day, time(14), time(18, 30)))
            if day != 7 or part[1] == time(14)
        ]
    if "market" in tags:
        return [(day, time(7), time(14)) for day in _DAILY if day != 7]
    if sight.admission or tags & {"palace", "castle", "garden", "archaeology", "spa", "ship", "caves"}:
        if tags & _OPEN_LAND and not tags & {"palace", "castle", "garden", "archaeology"}:
            return [(day, time(7), time(19)) for day in _DAILY] if sight.admission else []
        opens = time(8 + number(sight.slug, "opens") % 3)
        return [(day, opens, time(17, 30)) for day in _DAILY]
    return []


def season(sight: PointOfInterestRow) -> tuple[int, int] | None:
    """Return the first and the last month that are worth a visit, None for all year."""
    tags = set(sight.tags)
    if tags & {"desert"} and sight.latitude > 0:
        return _COOL_SEASON
    if tags & {"safari", "wildlife"} and abs(sight.latitude) < 24:
        return _DRY_SEASON
    if tags & _FOR_WARM_MONTHS and abs(sight.latitude) >= 24:
        return _NORTHERN_SUMMER if sight.latitude > 0 else _SOUTHERN_SUMMER
    return None
