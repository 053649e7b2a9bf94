"""The methods of the search for places and trips by words."""

from typing import Any, Final

from contracts.travel.destinations.v1 import destinations_pb2 as pb
from destinations_service.catalogue import selectors
from destinations_service.catalogue.contracts import (
    DestinationView,
    FacetView,
    HighlightView,
    SearchQuery,
    TripQuery,
    TripView,
)
from destinations_service.catalogue.rpc.mappers import (
    dates_of,
    destination_to_proto,
    enum_name,
    optional_money,
    trip_to_proto,
)
from shared.rpc import Call, rpc
from shared.rpc.mapping import locale_from_proto, page_info, page_of, text_to_proto

READERS: Final = frozenset({"gateway", "bookings", "notifications"})


class SearchMethods:
    """Serve the search, suggestions and tags."""

    @rpc(callers=READERS, traveller="none")
    def Search(self, request: pb.SearchRequest, call: Call) -> pb.SearchResponse:
        """Return a page of the places and trips that match a text."""
        first, after = page_of(request.page)
        page = selectors.search(query=_query(request), first=first, after=after)
        return pb.SearchResponse(
            edges=[
                pb.SearchEdge(**_node(result.node), cursor=result.cursor, highlights=map(_highlight, result.highlights))
                for result in page.results
            ],
            page_info=page_info(
                cursors=page.cursors,
                has_next=page.has_next,
                has_previous=page.has_previous,
            ),
            total_count=page.total,
            facets=map(_facet, page.facets),
        )

    @rpc(callers=READERS, traveller="none")
    def Suggest(self, request: pb.SuggestRequest, call: Call) -> pb.SuggestResponse:
        """Return names that complete a text."""
        language = locale_from_proto(request.locale).value
        suggestions = selectors.suggest(text=request.text, first=request.first, language=language)
        return pb.SuggestResponse(
            suggestions=[pb.Suggestion(text=suggestion.text, **_node(suggestion.node)) for suggestion in suggestions]
        )

    @rpc(callers=READERS, traveller="none")
    def ListTags(self, request: pb.ListTagsRequest, call: Call) -> pb.ListTagsResponse:
        """Return every tag with its label and the number of its places."""
        return pb.ListTagsResponse(
            tags=[pb.Tag(tag=tag.value, label=text_to_proto(tag.label), count=tag.count) for tag in selectors.tags()]
        )


def _query(request: pb.SearchRequest) -> SearchQuery:
    after, before = dates_of(request.departs)
    return SearchQuery(
        text=request.text,
        kinds=tuple(enum_name(pb.SearchKind, kind, "SEARCH_KIND_", "kinds") for kind in request.kinds),
        country_code=request.country_code,
        tags=tuple(request.tags),
        departures=TripQuery(
            departs_after=after,
            departs_before=before,
            seats=request.seats,
            max_price=optional_money(request, "max_price"),
        ),
        language=locale_from_proto(request.locale).value,
        with_facets=request.with_facets,
    )


def _node(node: DestinationView | TripView) -> dict[str, Any]:
    if isinstance(node, TripView):
        return {"trip": trip_to_proto(node)}
    return {"destination": destination_to_proto(node)}


def _highlight(highlight: HighlightView) -> pb.Highlight:
    pieces = [pb.HighlightPiece(text=piece.text, matched=piece.matched) for piece in highlight.pieces]
    return pb.Highlight(field=highlight.field, pieces=pieces)


def _facet(facet: FacetView) -> pb.Facet:
    return pb.Facet(
        field=facet.field,
        values=[
            pb.FacetValue(value=value.value, label=text_to_proto(value.label), count=value.count)
            for value in facet.values
        ],
    )
