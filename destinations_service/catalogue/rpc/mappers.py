"""Between the catalogue's values and protobuf: views to messages, requests to queries."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from uuid import UUID

from contracts.travel.common.v1 import common_pb2
from contracts.travel.destinations.v1 import destinations_pb2 as pb
from destinations_service.catalogue.contracts import (
    AveragePriceView,
    DepartureView,
    DestinationQuery,
    DestinationView,
    Listed,
    PhotoView,
    TripQuery,
    TripView,
)
from destinations_service.catalogue.domain import Near
from shared.errors import Invalid
from shared.money import Money
from shared.rpc.mapping import (
    date_of,
    enum_values,
    locale_from_proto,
    money_from_proto,
    money_to_proto,
    page_info,
    text_to_proto,
    ts,
    uuid_of,
)

_KINDS: Final = enum_values(pb.DestinationKind, "DESTINATION_KIND_")
_CATEGORIES: Final = enum_values(pb.PriceCategory, "PRICE_CATEGORY_")
_STATUSES: Final = enum_values(pb.DepartureStatus, "DEPARTURE_STATUS_")


def destination_to_proto(place: DestinationView) -> pb.Destination:
    """Return the message of a destination."""
    return pb.Destination(
        id=str(place.id),
        slug=place.slug,
        kind=_KINDS[place.kind],
        name=text_to_proto(place.name),
        summary=text_to_proto(place.summary),
        description=text_to_proto(place.description),
        parent_id=str(place.parent_id) if place.parent_id else "",
        ancestor_ids=map(str, place.ancestors),
        country_code=place.country_code,
        latitude=place.latitude,
        longitude=place.longitude,
        time_zone=place.time_zone,
        population=place.population,
        tags=place.tags,
        currency_code=place.currency,
        distance_km=place.distance_km,
    )


def photo_to_proto(photo: PhotoView) -> pb.Photo:
    """Return the message of a photo."""
    return pb.Photo(
        id=str(photo.id),
        destination_id=str(photo.destination_id) if photo.destination_id else "",
        trip_id=str(photo.trip_id) if photo.trip_id else "",
        alt=text_to_proto(photo.alt),
        credit=photo.credit,
        license=photo.license,
        width=photo.width,
        height=photo.height,
        renditions=[pb.PhotoRendition(width=width, url=url) for width, url in photo.renditions],
    )


def price_to_proto(price: AveragePriceView) -> pb.AveragePrice:
    """Return the message of an average price."""
    return pb.AveragePrice(
        category=_CATEGORIES[price.category],
        price=money_to_proto(price.price),
        as_of=price.as_of.isoformat(),
        source=price.source,
    )


def trip_to_proto(trip: TripView) -> pb.Trip:
    """Return the message of a trip."""
    return pb.Trip(
        id=str(trip.id),
        slug=trip.slug,
        title=text_to_proto(trip.title),
        description=text_to_proto(trip.description),
        destination_id=str(trip.destination_id),
        duration_days=trip.duration_days,
        from_price=money_to_proto(trip.from_price) if trip.from_price else None,
        cancellation_policy=[
            pb.CancellationRule(days_before=rule.days_before, refund_percent=rule.refund_percent)
            for rule in trip.policy
        ],
        currency_code=trip.currency,
        languages=trip.languages,
        maximum_group=trip.maximum_group,
        minimum_group=trip.minimum_group,
    )


def departure_to_proto(departure: DepartureView) -> pb.Departure:
    """Return the message of a departure."""
    return pb.Departure(
        id=str(departure.id),
        trip_id=str(departure.trip_id),
        starts_at=ts(departure.starts_at),
        ends_at=ts(departure.ends_at),
        time_zone=departure.time_zone,
        status=_STATUSES[departure.status],
        adult_price=money_to_proto(departure.adult_price),
        child_price=money_to_proto(departure.child_price),
        capacity=departure.capacity,
        version=departure.version,
        tax_basis_points=departure.tax_basis_points,
        bookable_from=ts(departure.bookable_from),
        bookable_until=ts(departure.bookable_until),
        rescheduled_at=ts(departure.rescheduled_at),
        change_reason=departure.change_reason,
    )


def edges(listed: Listed[Any], edge: Callable[..., Any], to_proto: Callable[[Any], Any]) -> list[Any]:
    """Return the edges of a page."""
    return [edge(node=to_proto(view), cursor=cursor) for view, cursor in zip(listed.views, listed.cursors, strict=True)]


def info(listed: Listed[Any]) -> common_pb2.PageInfo:
    """Return the PageInfo of a page."""
    return page_info(cursors=listed.cursors, has_next=listed.has_next, has_previous=listed.has_previous)


def to_destination_query(request: pb.SearchDestinationsRequest) -> DestinationQuery:
    """Return the query of the request. Raises Invalid for a malformed id and an unknown kind or order."""
    near = request.near
    return DestinationQuery(
        search=request.search,
        kind=kind_of(request.kind),
        country_code=request.country_code,
        parent_id=_id(request.parent_id, "parent"),
        tags=tuple(request.tags),
        near=Near(near.latitude, near.longitude, near.radius_km) if request.HasField("near") else None,
        max_daily_cost=optional_money(request, "max_daily_cost"),
        order=enum_name(pb.DestinationOrder, request.order_by, "DESTINATION_ORDER_", "orderBy"),
        language=locale_from_proto(request.locale).value,
    )


def to_trip_query(request: pb.SearchTripsRequest) -> TripQuery:
    """Return the query of the request. Raises Invalid for a malformed id or date and an unknown order."""
    after, before = dates_of(request.departs)
    return TripQuery(
        destination_id=_id(request.destination_id, "destination"),
        departs_after=after,
        departs_before=before,
        seats=request.seats,
        max_price=optional_money(request, "max_price"),
        order=enum_name(pb.TripOrder, request.order_by, "TRIP_ORDER_", "orderBy"),
    )


def kind_of(value: int) -> str:
    """Return the name of a kind, empty if none is set. Raises Invalid for an unknown kind."""
    return enum_name(pb.DestinationKind, value, "DESTINATION_KIND_", "kind")


def dates_of(departs: common_pb2.DateRange) -> tuple[date | None, date | None]:
    """Return the first and the last day. Raises Invalid for a malformed date."""
    return date_of(getattr(departs, "from"), "departsAfter"), date_of(departs.until, "departsBefore")


def _id(value: str, field: str) -> UUID | None:
    return uuid_of(value, field) if value else None


def optional_money(request: Any, field: str) -> Money | None:
    """Return the amount of a field, or None if it is not set."""
    return money_from_proto(getattr(request, field)) if request.HasField(field) else None


def enum_name(enum: Any, value: int, prefix: str, field: str) -> str:
    """Return the name of an enum's value without its prefix, empty for 0. Raises Invalid for an unknown value."""
    if value == 0:
        return ""
    if value not in enum.values():
        raise Invalid(field=field)
    return str(enum.Name(value)).removeprefix(prefix)
