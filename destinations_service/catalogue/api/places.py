"""Places over REST, with their average prices and the texts of their photos."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from destinations_service.catalogue import selectors, services
from destinations_service.catalogue.api import place_shapes as shapes
from destinations_service.catalogue.api import query as queries
from destinations_service.catalogue.api.base import CHANGING, IF_MATCH, PAGE, WRITING, OpenView, SlugView
from destinations_service.catalogue.api.serializers import DestinationSerializer
from destinations_service.catalogue.contracts import DestinationView
from destinations_service.catalogue.domain import InUse
from destinations_service.catalogue.place_rules import SlugLeadsElsewhere, SlugTaken
from shared.errors import Forbidden, Invalid, NotFound, StaleVersion, Unauthenticated
from shared.http.conditional import seen_versions
from shared.http.openapi import page_of, refusals
from shared.http.pagination import page_arguments, page_response, rest_names
from shared.http.query import refuse_other_parameters

POINT = ("latitude", "longitude", "radius_km")


class DestinationList(OpenView):
    """All destinations."""

    @extend_schema(
        operation_id="destinations_list",
        auth=[],
        parameters=[
            *PAGE,
            *(OpenApiParameter(name, str) for name in sorted(queries.DESTINATION_FILTERS - set(POINT))),
            *(OpenApiParameter(name, float) for name in POINT),
        ],
        responses={200: page_of(DestinationSerializer), **refusals(Invalid)},
    )
    def get(self, request: Request) -> Response:
        """Search destinations."""
        query = queries.destination_query(request)
        with rest_names():
            listed = selectors.search_destinations(query=query, **page_arguments(request))
        return page_response(request, listed, results=DestinationSerializer(listed.views, many=True).data)

    @extend_schema(
        request=shapes.DestinationWriteSerializer,
        responses={201: DestinationSerializer, **refusals(*WRITING, SlugTaken, SlugLeadsElsewhere)},
    )
    def post(self, request: Request) -> Response:
        """Add a destination."""
        serializer = shapes.DestinationWriteSerializer.from_request(request)
        place = services.save_destination(destination_id=None, details=serializer.details())
        self.version = place.version
        return Response(
            DestinationSerializer(place).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": f"{request.path}{place.slug}/"},
        )


class PlaceView(SlugView):
    """A view of one destination, or of what belongs to it."""

    def place(self) -> DestinationView:
        """Return the destination of the address, after its version. Raises NotFound, Moved."""
        slug = str(self.kwargs["slug"])
        self.version = selectors.destination_version(slug=slug)
        return self.current(selectors.destinations_by_key(slugs=[slug]))


class DestinationDetail(PlaceView):
    """One destination."""

    @extend_schema(auth=[], responses={200: DestinationSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show a destination by its slug."""
        refuse_other_parameters(request, ())
        return Response(DestinationSerializer(self.place()).data)

    @extend_schema(
        parameters=IF_MATCH,
        request=shapes.DestinationWriteSerializer(partial=True),
        responses={200: DestinationSerializer, **refusals(*CHANGING, SlugTaken, SlugLeadsElsewhere)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change the fields of a destination that are sent. If one of them is refused, none changes."""
        serializer = shapes.DestinationWriteSerializer.from_request(request, partial=True)
        place = services.save_destination(
            destination_id=self.place().id, details=serializer.details(), seen=seen_versions(request)
        )
        self.version = place.version
        return Response(DestinationSerializer(place).data)

    @extend_schema(
        parameters=IF_MATCH,
        responses={204: None, **refusals(Unauthenticated, Forbidden, NotFound, InUse, StaleVersion)},
    )
    def delete(self, request: Request, slug: str) -> Response:
        """Remove a destination that nothing depends on."""
        services.delete_destination(destination_id=self.place().id, seen=seen_versions(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PriceList(PlaceView):
    """The average prices of a destination."""

    @extend_schema(operation_id="prices_list", auth=[], responses={200: shapes.PricesSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show the average prices of a destination."""
        refuse_other_parameters(request, ())
        prices = selectors.average_prices(destination_ids=[(place := self.place()).id])
        return Response(shapes.PricesSerializer({"prices": prices[place.id]}).data)

    @extend_schema(
        operation_id="prices_replace",
        parameters=IF_MATCH,
        request=shapes.PricesWriteSerializer,
        responses={200: shapes.PricesSerializer, **refusals(*CHANGING)},
    )
    def put(self, request: Request, slug: str) -> Response:
        """Replace the average prices: a category that is not sent has no price afterwards."""
        return self._save(request, others_stay=False)

    @extend_schema(
        operation_id="prices_change",
        parameters=IF_MATCH,
        request=shapes.PricesWriteSerializer,
        responses={200: shapes.PricesSerializer, **refusals(*CHANGING)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Write the average prices of the categories that are sent. The others stay."""
        return self._save(request, others_stay=True)

    def _save(self, request: Request, *, others_stay: bool) -> Response:
        prices = shapes.PricesWriteSerializer.from_request(request).details()
        saved, self.version = services.save_prices(
            destination_id=self.place().id, prices=prices, others_stay=others_stay, seen=seen_versions(request)
        )
        return Response(shapes.PricesSerializer({"prices": saved}).data)


class PhotoList(PlaceView):
    """The photos of a destination."""

    @extend_schema(operation_id="photos_list", auth=[], responses={200: shapes.PhotosSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show the photos of a destination, in their order."""
        refuse_other_parameters(request, ())
        return Response(shapes.PhotosSerializer({"photos": selectors.photos(destination_ids=[self.place().id])}).data)

    @extend_schema(
        operation_id="photos_change",
        parameters=IF_MATCH,
        request=shapes.PhotosWriteSerializer,
        responses={200: shapes.PhotosSerializer, **refusals(*CHANGING)},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change the texts and positions of the photos that are sent. The others stay."""
        changes = shapes.PhotosWriteSerializer.from_request(request).details()
        saved, self.version = services.save_photos(
            destination_id=self.place().id, changes=changes, seen=seen_versions(request)
        )
        return Response(shapes.PhotosSerializer({"photos": saved}).data)
