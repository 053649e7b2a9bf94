"""Departures over REST."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from destinations_service.catalogue import selectors, services
from destinations_service.catalogue.api import query as queries
from destinations_service.catalogue.api import serializers as shapes
from destinations_service.catalogue.api.base import CHANGING, IF_MATCH, PAGE, WRITING, OpenView, SlugView, first
from destinations_service.catalogue.departure_rules import DepartureExists, DepartureHasBookings, DepartureStarted
from destinations_service.catalogue.domain import CapacityBelowSold, DepartureFinal
from shared.errors import Invalid, NotFound, Unavailable
from shared.http.conditional import seen_versions
from shared.http.openapi import page_of, refusals
from shared.http.pagination import page_arguments, page_response, rest_names
from shared.http.query import refuse_other_parameters


class DepartureList(SlugView):
    """A trip's departures."""

    @extend_schema(
        operation_id="departures_list",
        auth=[],
        parameters=[*PAGE, OpenApiParameter("departs_after", str), OpenApiParameter("departs_before", str)],
        responses={200: page_of(shapes.DepartureSerializer), **refusals(NotFound, Invalid)},
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the trip's future departures, soonest first."""
        refuse_other_parameters(request, {"departs_after", "departs_before"})
        trip = self.current(selectors.trips_by_key(slugs=[slug]))
        with rest_names():
            pages = selectors.departures_of(
                trip_ids=[trip.id],
                departs_after=queries.day(request, "departs_after"),
                departs_before=queries.day(request, "departs_before"),
                only_available=False,
                **page_arguments(request),
            )
        listed = pages[trip.id]
        return page_response(request, listed, results=shapes.DepartureSerializer(listed.views, many=True).data)

    @extend_schema(
        request=shapes.DepartureScheduleSerializer,
        responses={201: shapes.DepartureSerializer, **refusals(*WRITING, NotFound, DepartureExists)},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Schedule a departure of the trip. It is open at once."""
        serializer = shapes.DepartureScheduleSerializer.from_request(request)
        trip = self.current(selectors.trips_by_key(slugs=[slug]))
        departure = services.schedule_departure(trip_id=trip.id, **serializer.validated_data)
        self.version = departure.version
        return Response(shapes.DepartureSerializer(departure).data, status=status.HTTP_201_CREATED)


class DepartureDetail(OpenView):
    """One departure."""

    @extend_schema(auth=[], responses={200: shapes.DepartureSerializer, **refusals(NotFound)})
    def get(self, request: Request, departure_id: UUID) -> Response:
        """Show a departure."""
        refuse_other_parameters(request, ())
        departure = first(selectors.departures_by_id(ids=[departure_id]))
        self.version = departure.version
        return Response(shapes.DepartureSerializer(departure).data)

    @extend_schema(
        request=shapes.DepartureWriteSerializer,
        parameters=IF_MATCH,
        responses={
            200: shapes.DepartureSerializer,
            **refusals(
                *CHANGING, CapacityBelowSold, DepartureFinal, DepartureStarted, DepartureExists, DepartureHasBookings,
                Unavailable,
            ),
        },
    )  # fmt: skip
    def patch(self, request: Request, departure_id: UUID) -> Response:
        """Change a departure. A capacity below the held and sold seats is refused with both numbers.

        New dates or prices of a departure that people have booked need a `reason`, which travellers read. Without it
        the answer is DEPARTURE_HAS_BOOKINGS with the number of bookings and passengers, and nothing is changed.
        """
        serializer = shapes.DepartureWriteSerializer.from_request(request)
        departure = services.change_departure(
            departure_id=departure_id, change=serializer.change(), seen=seen_versions(request)
        )
        self.version = departure.version
        return Response(shapes.DepartureSerializer(departure).data)
