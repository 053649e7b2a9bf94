"""Trips over REST, and the files of photos."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from destinations_service.catalogue import photos, selectors, services
from destinations_service.catalogue.api import query as queries
from destinations_service.catalogue.api import serializers as shapes
from destinations_service.catalogue.api.base import CHANGING, IF_MATCH, PAGE, WRITING, OpenView, SlugView
from destinations_service.catalogue.api.trip_shapes import TripWriteSerializer
from destinations_service.catalogue.domain import InUse
from destinations_service.catalogue.models import Photo
from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS
from destinations_service.catalogue.photos.pictures import drawn_file
from destinations_service.catalogue.place_rules import SlugLeadsElsewhere, SlugTaken
from destinations_service.catalogue.trip_rules import TripHasDepartures
from shared.errors import Forbidden, Invalid, NotFound, StaleVersion, Unauthenticated
from shared.http.conditional import seen_versions
from shared.http.openapi import page_of, refusals
from shared.http.pagination import page_arguments, page_response, rest_names
from shared.http.query import refuse_other_parameters


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

    @extend_schema(
        request=TripWriteSerializer,
        responses={201: shapes.TripSerializer, **refusals(*WRITING, SlugTaken, SlugLeadsElsewhere)},
    )
    def post(self, request: Request) -> Response:
        """Add a trip. It can be booked once it has departures."""
        trip = services.save_trip(trip_id=None, details=TripWriteSerializer.from_request(request).details())
        self.version = trip.version
        return Response(
            shapes.TripSerializer(trip).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": f"{request.path}{trip.slug}/"},
        )


class TripDetail(SlugView):
    """One trip."""

    @extend_schema(auth=[], responses={200: shapes.TripSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show a trip by its slug."""
        refuse_other_parameters(request, ())
        self.version = selectors.trip_version(slug=slug)
        return Response(shapes.TripSerializer(self.current(selectors.trips_by_key(slugs=[slug]))).data)

    @extend_schema(
        parameters=IF_MATCH,
        request=TripWriteSerializer(partial=True),
        responses={
            200: shapes.TripSerializer,
            **refusals(*CHANGING, TripHasDepartures, SlugTaken, SlugLeadsElsewhere),
        },
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change the fields of a trip that are sent. If one of them is refused, none changes."""
        details = TripWriteSerializer.from_request(request, partial=True).details()
        trip = self.current(selectors.trips_by_key(slugs=[slug]))
        saved = services.save_trip(trip_id=trip.id, details=details, seen=seen_versions(request))
        self.version = saved.version
        return Response(shapes.TripSerializer(saved).data)

    @extend_schema(
        parameters=IF_MATCH,
        responses={204: None, **refusals(Unauthenticated, Forbidden, NotFound, InUse, StaleVersion)},
    )
    def delete(self, request: Request, slug: str) -> Response:
        """Remove a trip that has no departures."""
        trip = self.current(selectors.trips_by_key(slugs=[slug]))
        services.delete_trip(trip_id=trip.id, seen=seen_versions(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@require_safe
def photo(request: HttpRequest, photo_id: UUID, width: int) -> FileResponse:
    """Serve a drawn photo in one of RENDITION_WIDTHS. The first request draws it. Raises Http404 for anything else."""
    row = Photo.objects.select_related("destination", "trip__destination").filter(id=photo_id).first()
    if row is None or width not in RENDITION_WIDTHS or not row.is_drawn:
        raise Http404
    with photos.drawing_slot():
        path = drawn_file(row, width=width)
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    patch_cache_control(response, public=True, max_age=86_400)
    response["X-Content-Type-Options"] = "nosniff"
    return response
