"""The catalogue over REST: everybody may read it, catalogue editors may write it."""

from typing import Any, TypeVar
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from destinations_service.catalogue import photos, selectors, services
from destinations_service.catalogue.api import query as queries
from destinations_service.catalogue.api import serializers as shapes
from destinations_service.catalogue.domain import CapacityBelowSold, DepartureFinal, InUse
from destinations_service.catalogue.models import Photo
from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS
from destinations_service.catalogue.photos.pictures import drawn_photo
from shared.auth.drf import has_role, traveller_of
from shared.errors import Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from shared.http.openapi import page_of, refusals
from shared.http.pagination import page_arguments, page_response, rest_names
from shared.http.query import refuse_other_parameters

V = TypeVar("V")
CatalogueEditor = has_role("catalogue_editor")
PAGE = [OpenApiParameter("cursor", str), OpenApiParameter("limit", int)]
WRITING = (Invalid, Unauthenticated, Forbidden)


class OpenView(APIView):
    """Read by anybody, written by catalogue editors, whom the history names."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the caller and the request, then record who writes."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS:
            services.by_staff(traveller_of(request).id)

    def get_permissions(self) -> list[BasePermission]:
        """Let everybody read, and catalogue editors write."""
        return [AllowAny()] if self.request.method in SAFE_METHODS else [CatalogueEditor()]


class DestinationList(OpenView):
    """All destinations."""

    @extend_schema(
        operation_id="destinations_list",
        auth=[],
        parameters=[
            *PAGE,
            *(
                OpenApiParameter(name, str)
                for name in sorted(queries.DESTINATION_FILTERS - {"latitude", "longitude", "radius_km"})
            ),
            *(OpenApiParameter(name, float) for name in ("latitude", "longitude", "radius_km")),
        ],
        responses={200: page_of(shapes.DestinationSerializer), **refusals(Invalid)},
    )
    def get(self, request: Request) -> Response:
        """Search destinations."""
        query = queries.destination_query(request)
        with rest_names():
            listed = selectors.search_destinations(query=query, **page_arguments(request))
        return page_response(request, listed, results=shapes.DestinationSerializer(listed.views, many=True).data)

    @extend_schema(
        request=shapes.DestinationWriteSerializer,
        responses={201: shapes.DestinationSerializer, **refusals(*WRITING, InUse)},
    )
    def post(self, request: Request) -> Response:
        """Add a destination."""
        serializer = shapes.DestinationWriteSerializer.from_request(request)
        place = services.save_destination(destination_id=None, details=serializer.details())
        return Response(shapes.DestinationSerializer(place).data, status=status.HTTP_201_CREATED)


class DestinationDetail(OpenView):
    """One destination."""

    @extend_schema(auth=[], responses={200: shapes.DestinationSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show a destination by its slug."""
        refuse_other_parameters(request, ())
        return Response(shapes.DestinationSerializer(_first(selectors.destinations_by_key(slugs=[slug]))).data)

    @extend_schema(
        request=shapes.DestinationWriteSerializer(partial=True),
        responses={200: shapes.DestinationSerializer, **refusals(*WRITING, NotFound, InUse)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change the fields of a destination that are sent. If one of them is refused, none changes."""
        serializer = shapes.DestinationWriteSerializer.from_request(request, partial=True)
        current = _first(selectors.destinations_by_key(slugs=[slug]))
        place = services.save_destination(destination_id=current.id, details=serializer.details())
        return Response(shapes.DestinationSerializer(place).data)

    @extend_schema(responses={204: None, **refusals(Unauthenticated, Forbidden, NotFound, InUse)})
    def delete(self, request: Request, slug: str) -> Response:
        """Remove a destination that nothing depends on."""
        services.delete_destination(destination_id=_first(selectors.destinations_by_key(slugs=[slug])).id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TripList(OpenView):
    """All trips."""

    @extend_schema(
        operation_id="trips_list",
        auth=[],
        parameters=[*PAGE, *(OpenApiParameter(name, str) for name in sorted(queries.TRIP_FILTERS))],
        responses={200: page_of(shapes.TripSerializer), **refusals(Invalid)},
    )
    def get(self, request: Request) -> Response:
        """Search trips."""
        query = queries.trip_query(request)
        with rest_names():
            listed = selectors.search_trips(query=query, **page_arguments(request))
        return page_response(request, listed, results=shapes.TripSerializer(listed.views, many=True).data)


class TripDetail(OpenView):
    """One trip."""

    @extend_schema(auth=[], responses={200: shapes.TripSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show a trip by its slug."""
        refuse_other_parameters(request, ())
        return Response(shapes.TripSerializer(_first(selectors.trips_by_key(slugs=[slug]))).data)


class DepartureList(OpenView):
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
        trip = _first(selectors.trips_by_key(slugs=[slug]))
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


class DepartureDetail(OpenView):
    """One departure."""

    @extend_schema(auth=[], responses={200: shapes.DepartureSerializer, **refusals(NotFound)})
    def get(self, request: Request, departure_id: UUID) -> Response:
        """Show a departure."""
        refuse_other_parameters(request, ())
        return Response(shapes.DepartureSerializer(_first(selectors.departures_by_id(ids=[departure_id]))).data)

    @extend_schema(
        request=shapes.DepartureWriteSerializer,
        responses={
            200: shapes.DepartureSerializer,
            **refusals(*WRITING, NotFound, CapacityBelowSold, DepartureFinal, Unavailable),
        },
    )
    def patch(self, request: Request, departure_id: UUID) -> Response:
        """Change a departure. A capacity below the held and sold seats is refused with both numbers."""
        serializer = shapes.DepartureWriteSerializer.from_request(request)
        departure = services.change_departure(departure_id=departure_id, change=serializer.change())
        return Response(shapes.DepartureSerializer(departure).data)


@require_safe
def photo(request: HttpRequest, photo_id: UUID, width: int) -> FileResponse:
    """Serve a drawn photo in one of RENDITION_WIDTHS. The first request draws it. Raises Http404 for anything else."""
    row = Photo.objects.select_related("destination").filter(id=photo_id).first()
    if row is None or width not in RENDITION_WIDTHS or not row.is_drawn:
        raise Http404
    with photos.drawing_slot():
        path = drawn_photo(row.destination, width=width)
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    patch_cache_control(response, public=True, max_age=86_400)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _first(views: list[V]) -> V:
    if not views:
        raise NotFound
    return views[0]
