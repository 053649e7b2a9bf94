"""The methods about what trips contain and when places can be visited."""

from typing import Final

from contracts.travel.destinations.v1 import destinations_pb2 as pb
from destinations_service.catalogue import selectors
from destinations_service.catalogue.contracts import TripContentView, VisitingTimesView
from destinations_service.catalogue.rpc.search import READERS
from shared.rpc import Call, rpc
from shared.rpc.mapping import text_to_proto, uuids_of

_HOUR: Final = "%H:%M"


class ContentMethods:
    """Serve trips' contents and places' visiting times."""

    @rpc(callers=READERS, traveller="none")
    def BatchGetTripContents(
        self, request: pb.BatchGetTripContentsRequest, call: Call
    ) -> pb.BatchGetTripContentsResponse:
        """Return what trips contain."""
        contents = selectors.trip_contents(trip_ids=uuids_of(request.trip_ids, "trip_ids"))
        return pb.BatchGetTripContentsResponse(contents=map(_content, contents))

    @rpc(callers=READERS, traveller="none")
    def BatchGetVisitingTimes(
        self, request: pb.BatchGetVisitingTimesRequest, call: Call
    ) -> pb.BatchGetVisitingTimesResponse:
        """Return the opening hours and the seasons of destinations."""
        times = selectors.visiting_times(destination_ids=uuids_of(request.destination_ids, "destination_ids"))
        return pb.BatchGetVisitingTimesResponse(visiting_times=map(_times, times))


def _content(content: TripContentView) -> pb.TripContent:
    point = content.meeting_point
    return pb.TripContent(
        trip_id=str(content.trip_id),
        itinerary=[
            pb.ItineraryDay(
                day=day.day,
                title=text_to_proto(day.title),
                description=text_to_proto(day.description),
                destination_id=str(day.destination_id) if day.destination_id else "",
            )
            for day in content.itinerary
        ],
        included=map(text_to_proto, content.included),
        excluded=map(text_to_proto, content.excluded),
        meeting_point=pb.MeetingPoint(
            name=text_to_proto(point.name), latitude=point.latitude, longitude=point.longitude
        )
        if point
        else None,
    )


def _times(times: VisitingTimesView) -> pb.VisitingTimes:
    return pb.VisitingTimes(
        destination_id=str(times.destination_id),
        opening_hours=[
            pb.OpeningHours(
                weekday=hours.weekday, opens=hours.opens.strftime(_HOUR), closes=hours.closes.strftime(_HOUR)
            )
            for hours in times.opening_hours
        ],
        season_from_month=times.season_from_month or 0,
        season_to_month=times.season_to_month or 0,
    )
