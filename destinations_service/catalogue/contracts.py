"""What enters and leaves the catalogue."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from destinations_service.catalogue.domain import Near
from shared.money import Money
from shared.text import Text


@dataclass(frozen=True, slots=True)
class DestinationView:
    """A place; `distance_km` only in the answer of a search near a point."""

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


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A picture, with an address per width it is rendered in."""

    id: UUID
    destination_id: UUID
    alt: Text
    credit: str
    license: str
    width: int
    height: int
    renditions: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class AveragePriceView:
    """What something costs on average."""

    category: str
    price: Money
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
    """Cancelled at least `days_before` days before departure, `refund_percent` comes back."""

    days_before: int
    refund_percent: int


@dataclass(frozen=True, slots=True)
class TripView:
    """A trip; `from_price` is the cheapest adult price of an open departure to come."""

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


@dataclass(frozen=True, slots=True)
class DepartureView:
    """One date of a trip. `status` is DEPARTED once it has left."""

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


@dataclass(frozen=True, slots=True)
class DestinationQuery:
    """What destinations to look for, in which order."""

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
    """What trips to look for, in which order; `destination_id` stands for all below it."""

    destination_id: UUID | None = None
    departs_after: date | None = None
    departs_before: date | None = None
    seats: int = 0
    max_price: Money | None = None
    order: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of views with their cursors; `total` where it was counted."""

    views: list  # type: ignore[type-arg]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    total: int = 0


@dataclass(frozen=True, slots=True)
class DepartureChange:
    """What staff change of a departure; None leaves it as it is."""

    capacity: int | None = None
    status: str | None = None
    adult_price: Decimal | None = None
    child_price: Decimal | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DestinationDetails:
    """What staff write of a destination; None leaves it as it is."""

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
    translations: dict[str, dict[str, str]] = field(default_factory=dict)
