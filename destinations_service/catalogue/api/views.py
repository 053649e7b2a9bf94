"""Trips over REST, and the files of photos."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from destinations_service.catalogue import photos, selectors
from destinations_service.catalogue.api import query as queries
from destinations_service.catalogue.api import serializers as shapes
from destinations_service.catalogue.api.base import PAGE, OpenView, SlugView
from destinations_service.catalogue.models import Photo
from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS
from destinations_service.catalogue.photos.pictures import drawn_file
from shared.errors import Invalid, NotFound
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


class TripDetail(SlugView):
    """One trip."""

    @extend_schema(auth=[], responses={200: shapes.TripSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show a trip by its slug."""
        refuse_other_parameters(request, ())
        self.version = selectors.trip_version(slug=slug)
        return Response(shapes.TripSerializer(self.current(selectors.trips_by_key(slugs=[slug]))).data)


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
