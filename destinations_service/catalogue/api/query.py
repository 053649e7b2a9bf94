"""Query parameters of the catalogue's lists. A malformed parameter is refused with 400 and its name."""

import math
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from rest_framework.request import Request

from destinations_service.catalogue.contracts import DestinationQuery, SearchQuery, TripQuery
from destinations_service.catalogue.domain import Near
from destinations_service.catalogue.models.places import Kind
from shared.http.query import BadParameter, refuse_other_parameters, whole_number
from shared.money import Money
from shared.telemetry import current_locale

DESTINATION_FILTERS = frozenset(
    {
        "search", "kind", "country_code", "parent", "tags", "latitude", "longitude", "radius_km", "max_daily_cost",
        "currency", "ordering",
    }
)  # fmt: skip
TRIP_FILTERS = frozenset(
    {"destination", "departs_after", "departs_before", "seats", "max_price", "currency", "ordering"}
)
SEARCH_FILTERS = frozenset(
    {
        "text",
        "kinds",
        "country_code",
        "tags",
        "departs_after",
        "departs_before",
        "seats",
        "max_price",
        "currency",
        "facets",
    }
)
DESTINATION_ORDERS = ("RELEVANCE", "NAME", "POPULARITY", "DISTANCE", "DAILY_COST")
TRIP_ORDERS = ("PRICE", "DEPARTURE_DATE", "DURATION", "POPULARITY")


def destination_query(request: Request) -> DestinationQuery:
    """Return the search for destinations that the parameters describe. Raises UnknownParameter, BadParameter."""
    refuse_other_parameters(request, DESTINATION_FILTERS)
    return DestinationQuery(
        search=request.query_params.get("search", ""),
        kind=_choice(request, "kind", tuple(Kind.values)),
        country_code=request.query_params.get("country_code", ""),
        parent_id=_uuid(request, "parent"),
        tags=_list(request, "tags"),
        near=_near(request),
        max_daily_cost=_money(request, "max_daily_cost"),
        order=_choice(request, "ordering", DESTINATION_ORDERS),
        language=current_locale().value,
    )


def trip_query(request: Request) -> TripQuery:
    """Return the search for trips that the parameters describe. Raises UnknownParameter, BadParameter."""
    refuse_other_parameters(request, TRIP_FILTERS)
    return TripQuery(
        destination_id=_uuid(request, "destination"),
        departs_after=day(request, "departs_after"),
        departs_before=day(request, "departs_before"),
        seats=whole_number(request, "seats", minimum=0, maximum=1_000, default=0),
        max_price=_money(request, "max_price"),
        order=_choice(request, "ordering", TRIP_ORDERS),
    )


def search_query(request: Request) -> SearchQuery:
    """Return the search by words that the parameters describe. Raises UnknownParameter, BadParameter."""
    refuse_other_parameters(request, SEARCH_FILTERS)
    return SearchQuery(
        text=request.query_params.get("text", ""),
        kinds=_list(request, "kinds"),
        country_code=request.query_params.get("country_code", ""),
        tags=_list(request, "tags"),
        departures=TripQuery(
            departs_after=day(request, "departs_after"),
            departs_before=day(request, "departs_before"),
            seats=whole_number(request, "seats", minimum=0, maximum=1_000, default=0),
            max_price=_money(request, "max_price"),
        ),
        language=current_locale().value,
        with_facets=_choice(request, "facets", ("true", "false")) == "true",
    )


def day(request: Request, name: str) -> date | None:
    """Return a calendar date, None if the parameter is missing or empty. Raises BadParameter."""
    text = request.query_params.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadParameter(field=name, parameter=name) from None


def _list(request: Request, name: str) -> tuple[str, ...]:
    return tuple(value for value in request.query_params.get(name, "").split(",") if value)


def _choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in choices:
        raise BadParameter(field=name, parameter=name)
    return value


def _uuid(request: Request, name: str) -> UUID | None:
    text = request.query_params.get(name)
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadParameter(field=name, parameter=name) from None


def _near(request: Request) -> Near | None:
    names = ("latitude", "longitude", "radius_km")
    if not any(name in request.query_params for name in names):
        return None
    return Near(*(_float(request, name) for name in names))


def _float(request: Request, name: str) -> float:
    try:
        value = float(request.query_params.get(name, ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadParameter(field=name, parameter=name)
    return value


def _money(request: Request, name: str) -> Money | None:
    text = request.query_params.get(name)
    if not text:
        return None
    currency = request.query_params.get("currency", "EUR")
    try:
        amount = Decimal(text)
        if not amount.is_finite() or not 0 <= amount < 10**9 or len(currency) != 3:
            raise InvalidOperation
        return Money.rounded(amount, currency)
    except (InvalidOperation, ValueError):
        raise BadParameter(field=name, parameter=name) from None
