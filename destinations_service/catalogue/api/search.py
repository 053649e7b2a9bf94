"""The search for places and trips by words over REST: results, suggestions and tags."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from destinations_service.catalogue import selectors
from destinations_service.catalogue.api import query as queries
from destinations_service.catalogue.api.serializers import DestinationSerializer, TripSerializer
from destinations_service.catalogue.contracts import SearchResult, SuggestionView, TripView
from destinations_service.catalogue.selectors.search import KINDS, MOST_SUGGESTIONS
from shared.errors import Invalid
from shared.http.conditional import PublicReads
from shared.http.openapi import page_of, refusals
from shared.http.pagination import page_arguments, page_response, rest_names
from shared.http.query import refuse_other_parameters, whole_number
from shared.http.serializers import LocalizedField
from shared.telemetry import current_locale

DEFAULT_SUGGESTIONS = 5


class PieceSerializer(serializers.Serializer[Any]):
    """A part of a text, and whether it matches what was searched for."""

    text = serializers.CharField()
    matched = serializers.BooleanField()


class HighlightSerializer(serializers.Serializer[Any]):
    """A text of a result in pieces."""

    field = serializers.CharField()
    pieces = PieceSerializer(many=True)


class FoundSerializer(serializers.Serializer[Any]):
    """A place or a trip: the other one is null."""

    destination = DestinationSerializer(allow_null=True)
    trip = TripSerializer(allow_null=True)

    def to_representation(self, found: SearchResult | SuggestionView) -> dict[str, Any]:
        """Return the node under the name of what it is."""
        is_trip = isinstance(found.node, TripView)
        return {
            "destination": None if is_trip else DestinationSerializer(found.node).data,
            "trip": TripSerializer(found.node).data if is_trip else None,
        }


class SearchResultSerializer(FoundSerializer):
    """A place or a trip that matches, with the parts of its name that do."""

    highlights = HighlightSerializer(many=True)

    def to_representation(self, found: Any) -> dict[str, Any]:
        """Return the result."""
        return super().to_representation(found) | {"highlights": HighlightSerializer(found.highlights, many=True).data}


class SuggestionSerializer(FoundSerializer):
    """A name that completes the text, and the place or trip that has it."""

    text = serializers.CharField()

    def to_representation(self, found: Any) -> dict[str, Any]:
        """Return the suggestion."""
        return {"text": found.text} | super().to_representation(found)


class CountedSerializer(serializers.Serializer[Any]):
    """A value, its label in the language of the request, and how many have it."""

    value = serializers.CharField()
    label = LocalizedField()  # type: ignore[assignment]  # a serializer's own label is not used
    count = serializers.IntegerField()


class FacetSerializer(serializers.Serializer[Any]):
    """The values of one property of the results."""

    field = serializers.CharField()
    values = CountedSerializer(many=True)


class SearchView(PublicReads):
    """The search."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="search",
        auth=[],
        parameters=[
            OpenApiParameter("text", str, required=True),
            OpenApiParameter("kinds", str, description=f"Comma separated: {', '.join(KINDS)}."),
            OpenApiParameter("facets", bool),
            OpenApiParameter("cursor", str),
            OpenApiParameter("limit", int),
            *(OpenApiParameter(name, str) for name in sorted(queries.SEARCH_FILTERS - {"text", "kinds", "facets"})),
        ],
        responses={200: page_of(SearchResultSerializer), **refusals(Invalid)},
    )
    def get(self, request: Request) -> Response:
        """Find places and trips by words in any order, in any language that they have names in, best first."""
        query = queries.search_query(request)
        with rest_names():
            page = selectors.search(query=query, **page_arguments(request))
        response = page_response(request, page, results=SearchResultSerializer(page.results, many=True).data)
        if query.with_facets:
            response.data["facets"] = FacetSerializer(page.facets, many=True).data
        response.data["total"] = page.total
        return response


class SuggestView(PublicReads):
    """Suggestions while one types."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="suggest",
        auth=[],
        parameters=[OpenApiParameter("text", str, required=True), OpenApiParameter("first", int)],
        responses={200: SuggestionSerializer(many=True), **refusals(Invalid)},
    )
    def get(self, request: Request) -> Response:
        """Complete a text: names of places and trips, best first."""
        refuse_other_parameters(request, {"text", "first"})
        first = whole_number(request, "first", minimum=1, maximum=MOST_SUGGESTIONS, default=DEFAULT_SUGGESTIONS)
        text = request.query_params.get("text", "")
        suggestions = selectors.suggest(text=text, first=first, language=current_locale().value)
        return Response(SuggestionSerializer(suggestions, many=True).data)


class TagsView(PublicReads):
    """The tags of the catalogue."""

    permission_classes = (AllowAny,)

    @extend_schema(operation_id="tags", auth=[], responses={200: CountedSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """List every tag with its label and the number of its places."""
        refuse_other_parameters(request, ())
        return Response(CountedSerializer(selectors.tags(), many=True).data)
