"""The values that enter and leave the catalogue: views that selectors return, and commands that services take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from destinations_service.catalogue.domain import Near
from shared.money import Money
from shared.text import Text

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class DestinationView:
    """A place. `distance_km` is set only by a search near a point, and `version` only by a write."""

    id: UUID
    slug: str
    kind: str
    name: Text
    summary: Text
    description: Text
    parent_id: UUID | None
    ancestors: tuple[UUID, ...]
    country_code: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    population: int | None
    tags: tuple[str, ...]
    currency: str
    distance_km: float | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A picture of a destination or of a trip. `renditions` are pairs of width and URL."""

    id: UUID
    destination_id: UUID | None
    alt: Text
    credit: str
    license: str
    width: int
    height: int
    renditions: tuple[tuple[int, str], ...]
    trip_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AveragePriceView:
    """An average price of one category at a destination."""

    category: str
    price: Money
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class NewRate:
    """Units of `currency` for one euro on a day, and who says so."""

    currency: str
    rate: Decimal
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class RateView:
    """Units of `currency` for one euro."""

    currency: str
    rate: Decimal
    as_of: date


@dataclass(frozen=True, slots=True)
class RuleView:
    """A cancellation at least `days_before` days before departure refunds `refund_percent`."""

    days_before: int
    refund_percent: int


@dataclass(frozen=True, slots=True)
class TripView:
    """A trip. `from_price` is the lowest adult price of its open departures to come. `version` is set by a write."""

    id: UUID
    slug: str
    title: Text
    description: Text
    destination_id: UUID
    duration_days: int
    currency: str
    tax_basis_points: int
    from_price: Money | None
    policy: tuple[RuleView, ...]
    languages: tuple[str, ...] = ()
    maximum_group: int | None = None
    minimum_group: int | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class TripDetails:
    """What staff write of a trip: columns by name, texts by language, and the whole cancellation policy.

    What is missing stays. `policy` has pairs of days before departure and per cent of refund; None leaves it.
    """

    fields: Mapping[str, Any]
    translations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    policy: tuple[tuple[int, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class ItineraryDayView:
    """A day of an itinerary. Its description is Markdown without HTML."""

    day: int
    title: Text
    description: Text
    destination_id: UUID | None


@dataclass(frozen=True, slots=True)
class MeetingPointView:
    """Where a trip begins."""

    name: Text
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class TripContentView:
    """What a trip contains, day by day."""

    trip_id: UUID
    itinerary: tuple[ItineraryDayView, ...]
    included: tuple[Text, ...]
    excluded: tuple[Text, ...]
    meeting_point: MeetingPointView | None


@dataclass(frozen=True, slots=True)
class HoursView:
    """A time of the week in which a place is open, local. Monday is 1."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class VisitingTimesView:
    """When a place is open, and the months in which it is worth a visit. None for both months: all year."""

    destination_id: UUID
    opening_hours: tuple[HoursView, ...]
    season_from_month: int | None
    season_to_month: int | None


@dataclass(frozen=True, slots=True)
class DepartureView:
    """One date of a trip. `status` is DEPARTED once the start has passed.

    Quotes are made from `bookable_from`, or at any time if it is None, until `bookable_until`. `rescheduled_at` is when
    its dates last changed, and `change_reason` is why.
    """

    id: UUID
    trip_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    status: str
    capacity: int
    adult_price: Money
    child_price: Money
    version: int
    tax_basis_points: int
    bookable_from: datetime | None
    bookable_until: datetime
    rescheduled_at: datetime | None
    change_reason: str


@dataclass(frozen=True, slots=True)
class DestinationQuery:
    """Filters and order of a search for destinations. An empty filter admits everything."""

    search: str = ""
    kind: str = ""
    country_code: str = ""
    parent_id: UUID | None = None
    tags: tuple[str, ...] = ()
    near: Near | None = None
    max_daily_cost: Money | None = None
    order: str = ""
    language: str = "EN"


@dataclass(frozen=True, slots=True)
class TripQuery:
    """Filters and order of a search for trips. `destination_id` includes every place below it."""

    destination_id: UUID | None = None
    departs_after: date | None = None
    departs_before: date | None = None
    seats: int = 0
    max_price: Money | None = None
    order: str = ""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search for places and trips by words, with its filters. An empty filter admits everything.

    The dates, seats and price leave only trips with such an open departure, and the places that such trips go to.
    """

    text: str
    kinds: tuple[str, ...] = ()
    country_code: str = ""
    tags: tuple[str, ...] = ()
    departures: TripQuery = field(default_factory=TripQuery)
    language: str = "EN"
    with_facets: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it matches what was searched for."""

    text: str
    matched: bool


@dataclass(frozen=True, slots=True)
class HighlightView:
    """A text of a result in pieces. `field` is name, title, or alternateName for a name that is not shown otherwise."""

    field: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A place or a trip that matches, with its cursor."""

    node: DestinationView | TripView
    cursor: str
    highlights: tuple[HighlightView, ...]


@dataclass(frozen=True, slots=True)
class FacetValueView:
    """A value that results have, and how many have it."""

    value: str
    label: Text
    count: int


@dataclass(frozen=True, slots=True)
class FacetView:
    """The values of one property of the results: kind, countryCode or tag."""

    field: str
    values: tuple[FacetValueView, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of results. `facets` is empty unless asked for."""

    results: list[SearchResult]
    has_next: bool
    has_previous: bool
    total: int
    facets: tuple[FacetView, ...] = ()

    @property
    def cursors(self) -> list[str]:
        """The cursor of each result."""
        return [result.cursor for result in self.results]


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A name that completes a text, and the place or trip that has it."""

    text: str
    node: DestinationView | TripView


@dataclass(frozen=True, slots=True)
class Listed(Generic[V]):
    """A page of views with their cursors. `total` is 0 if the list does not count its rows."""

    views: list[V]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    total: int = 0


@dataclass(frozen=True, slots=True)
class DepartureChange:
    """The fields of a departure that staff change. None leaves a field as it is.

    `reason` is why, for travellers to read. A change of dates or prices needs it if people have booked.
    """

    capacity: int | None = None
    status: str | None = None
    adult_price: Decimal | None = None
    child_price: Decimal | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DestinationDetails:
    """The fields of a destination that staff write. None leaves a field as it is; `cleared` names those to empty."""

    slug: str | None = None
    kind: str | None = None
    parent_id: UUID | None = None
    country_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    population: int | None = None
    tags: list[str] | None = None
    currency: str | None = None
    season_from_month: int | None = None
    season_to_month: int | None = None
    translations: dict[str, dict[str, str]] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()

    def sets(self, name: str) -> bool:
        """Return whether the field gets a value or is emptied."""
        return getattr(self, name) is not None or name in self.cleared

    def value(self, name: str) -> Any:
        """Return what the field gets."""
        return getattr(self, name)


@dataclass(frozen=True, slots=True)
class PriceDetails:
    """An average price that staff write."""

    category: str
    amount: Decimal
    currency: str
    as_of: date
    source: str
    is_sample: bool = False


@dataclass(frozen=True, slots=True)
class PhotoDetails:
    """The texts and the position of a photo that staff change. None leaves a field as it is."""

    id: UUID
    alt_en: str | None = None
    alt_fr: str | None = None
    credit: str | None = None
    license: str | None = None
    position: int | None = None
