"""The table of public REST paths and their services. No other path is public. For example, staff's paths are not."""

import re
from dataclasses import dataclass
from typing import Final

_READ: Final = frozenset({"GET", "HEAD"})
_WRITE: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Route:
    """The service that owns the paths under a prefix, and the methods that the public may use there."""

    service: str
    methods: frozenset[str]


# The keys are the first segments after /api/v1/. The catalogue is public only for reading: staff write at
# destinations_service.
_ROUTES: Final = {
    **dict.fromkeys(("auth", "profile"), Route("users", _WRITE)),
    **dict.fromkeys(("destinations", "trips", "departures", "search", "suggest", "tags"), Route("destinations", _READ)),
    **dict.fromkeys(
        ("quotes", "bookings", "cancellation-quotes", "passengers", "payments", "waitlist"), Route("bookings", _WRITE)
    ),
    **dict.fromkeys(("notifications", "invoices"), Route("notifications", _READ)),
}
_PHOTOS: Final = Route("destinations", _READ)
_SEGMENTS: Final = re.compile(r"(?:[A-Za-z0-9._~@:-]+/)*[A-Za-z0-9._~@:-]*", re.ASCII)


def route(path: str) -> Route | None:
    """Return the route of a public `path` (without its first slash), or None if the path is not public."""
    if not _SEGMENTS.fullmatch(path) or ".." in path.split("/"):
        return None
    first, _, rest = path.partition("/")
    if first == "photos":
        return _PHOTOS if rest else None
    segment, _, _ = path.removeprefix("api/v1/").partition("/")
    return _ROUTES.get(segment)
