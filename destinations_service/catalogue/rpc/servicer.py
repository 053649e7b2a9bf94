"""The servicer of travel.destinations.v1: the catalogue for the gateway, departures for bookings.

One selector per method.
"""

from contracts.travel.destinations.v1 import destinations_pb2 as pb
from contracts.travel.destinations.v1 import destinations_pb2_grpc
from destinations_service.catalogue import selectors
from destinations_service.catalogue.rpc.content import ContentMethods
from destinations_service.catalogue.rpc.mappers import (
    dates_of,
    departure_to_proto,
    destination_to_proto,
    edges,
    info,
    kind_of,
    photo_to_proto,
    price_to_proto,
    to_destination_query,
    to_trip_query,
    trip_to_proto,
)
from destinations_service.catalogue.rpc.search import READERS, SearchMethods
from shared.errors import Invalid
from shared.rpc import Call, rpc
from shared.rpc.guard import MAX_BATCH
from shared.rpc.mapping import page_of, text_to_proto, uuid_of, uuids_of


class DestinationsServicer(SearchMethods, ContentMethods, destinations_pb2_grpc.DestinationsServiceServicer):
    """Serve the catalogue. It is public, so no method needs a traveller's token."""

    @rpc(callers=READERS, traveller="none")
    def BatchGetDestinations(
        self, request: pb.BatchGetDestinationsRequest, call: Call
    ) -> pb.BatchGetDestinationsResponse:
        """Return destinations by id and slug."""
        destinations = selectors.destinations_by_key(ids=uuids_of(request.ids, "ids"), slugs=list(request.slugs))
        return pb.BatchGetDestinationsResponse(destinations=map(destination_to_proto, destinations))

    @rpc(callers=READERS, traveller="none")
    def SearchDestinations(self, request: pb.SearchDestinationsRequest, call: Call) -> pb.SearchDestinationsResponse:
        """Return a page of the destinations that match."""
        first, after = page_of(request.page)
        listed = selectors.search_destinations(query=to_destination_query(request), first=first, after=after)
        return pb.SearchDestinationsResponse(
            edges=edges(listed, pb.DestinationEdge, destination_to_proto),
            page_info=info(listed),
            total_count=listed.total,
        )

    @rpc(callers=READERS, traveller="none")
    def BatchListChildren(self, request: pb.BatchListChildrenRequest, call: Call) -> pb.BatchListChildrenResponse:
        """Return a page of children per parent."""
        first, after = page_of(request.page)
        parents = uuids_of(request.parent_ids, "parent_ids")
        pages = selectors.children_of(parent_ids=parents, kind=kind_of(request.kind), first=first, after=after)
        return pb.BatchListChildrenResponse(
            pages=[
                pb.DestinationPage(
                    parent_id=str(parent),
                    edges=edges(pages[parent], pb.DestinationEdge, destination_to_proto),
                    page_info=info(pages[parent]),
                    total_count=pages[parent].total,
                )
                for parent in parents
            ]
        )

    @rpc(callers=READERS, traveller="none")
    def BatchListPhotos(self, request: pb.BatchListPhotosRequest, call: Call) -> pb.BatchListPhotosResponse:
        """Return the photos of destinations and trips. Raises Invalid for more than MAX_BATCH ids together."""
        if len(request.destination_ids) + len(request.trip_ids) > MAX_BATCH:
            raise Invalid(field="trip_ids")
        photos = selectors.photos(
            destination_ids=uuids_of(request.destination_ids, "destination_ids"),
            trip_ids=uuids_of(request.trip_ids, "trip_ids"),
        )
        return pb.BatchListPhotosResponse(photos=map(photo_to_proto, photos))

    @rpc(callers=READERS, traveller="none")
    def BatchListAveragePrices(
        self, request: pb.BatchListAveragePricesRequest, call: Call
    ) -> pb.BatchListAveragePricesResponse:
        """Return the average prices of destinations."""
        prices_by_place = selectors.average_prices(destination_ids=uuids_of(request.destination_ids, "destination_ids"))
        return pb.BatchListAveragePricesResponse(
            destinations=[
                pb.DestinationPrices(destination_id=str(place), prices=map(price_to_proto, prices))
                for place, prices in prices_by_place.items()
            ]
        )

    @rpc(callers=READERS, traveller="none")
    def BatchGetTrips(self, request: pb.BatchGetTripsRequest, call: Call) -> pb.BatchGetTripsResponse:
        """Return trips by id and slug."""
        trips = selectors.trips_by_key(ids=uuids_of(request.ids, "ids"), slugs=list(request.slugs))
        return pb.BatchGetTripsResponse(trips=map(trip_to_proto, trips))

    @rpc(callers=READERS, traveller="none")
    def SearchTrips(self, request: pb.SearchTripsRequest, call: Call) -> pb.SearchTripsResponse:
        """Return a page of the trips that match."""
        first, after = page_of(request.page)
        listed = selectors.search_trips(query=to_trip_query(request), first=first, after=after)
        return pb.SearchTripsResponse(
            edges=edges(listed, pb.TripEdge, trip_to_proto), page_info=info(listed), total_count=listed.total
        )

    @rpc(callers=READERS, traveller="none")
    def BatchListTrips(self, request: pb.BatchListTripsRequest, call: Call) -> pb.BatchListTripsResponse:
        """Return a page of trips per destination."""
        first, after = page_of(request.page)
        departs_after, departs_before = dates_of(request.departs)
        places = uuids_of(request.destination_ids, "destination_ids")
        pages = selectors.trips_of(
            destination_ids=places, departs_after=departs_after, departs_before=departs_before, first=first, after=after
        )
        return pb.BatchListTripsResponse(
            pages=[
                pb.TripPage(
                    destination_id=str(place),
                    edges=edges(pages[place], pb.TripEdge, trip_to_proto),
                    page_info=info(pages[place]),
                    total_count=pages[place].total,
                )
                for place in places
            ]
        )

    @rpc(callers=READERS, traveller="none")
    def BatchGetDepartures(self, request: pb.BatchGetDeparturesRequest, call: Call) -> pb.BatchGetDeparturesResponse:
        """Return departures by id."""
        departures = selectors.departures_by_id(ids=uuids_of(request.ids, "ids"))
        return pb.BatchGetDeparturesResponse(departures=map(departure_to_proto, departures))

    @rpc(callers=READERS, traveller="none")
    def BatchListDepartures(self, request: pb.BatchListDeparturesRequest, call: Call) -> pb.BatchListDeparturesResponse:
        """Return a page of departures per trip."""
        first, after = page_of(request.page)
        departs_after, departs_before = dates_of(request.departs)
        trips = uuids_of(request.trip_ids, "trip_ids")
        pages = selectors.departures_of(
            trip_ids=trips,
            departs_after=departs_after,
            departs_before=departs_before,
            only_available=request.only_available,
            first=first,
            after=after,
        )
        return pb.BatchListDeparturesResponse(
            pages=[
                pb.DeparturePage(
                    trip_id=str(trip),
                    edges=edges(pages[trip], pb.DepartureEdge, departure_to_proto),
                    page_info=info(pages[trip]),
                )
                for trip in trips
            ]
        )

    @rpc(callers=READERS, traveller="none")
    def GetDeparture(self, request: pb.GetDepartureRequest, call: Call) -> pb.GetDepartureResponse:
        """Return what bookings_service makes a quote from."""
        departure, trip, place = selectors.departure_for_quote(departure_id=uuid_of(request.id, "id"))
        return pb.GetDepartureResponse(
            departure=departure_to_proto(departure),
            trip=trip_to_proto(trip),
            destination_name=text_to_proto(place.name),
            latitude=place.latitude,
            longitude=place.longitude,
        )

    @rpc(callers=READERS, traveller="none")
    def ListExchangeRates(self, request: pb.ListExchangeRatesRequest, call: Call) -> pb.ListExchangeRatesResponse:
        """Return the latest rate of every currency."""
        return pb.ListExchangeRatesResponse(
            rates=[
                pb.ExchangeRate(currency_code=rate.currency, rate=str(rate.rate), as_of=rate.as_of.isoformat())
                for rate in selectors.exchange_rates()
            ]
        )
