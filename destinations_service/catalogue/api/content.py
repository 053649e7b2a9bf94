"""What trips contain, and when places can be visited, over REST."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from destinations_service.catalogue import selectors, services
from destinations_service.catalogue.api.base import CHANGING, IF_MATCH, SlugView, first
from destinations_service.catalogue.api.places import PlaceView
from destinations_service.catalogue.contracts import HoursView
from destinations_service.catalogue.markdown import to_html
from shared.errors import NotFound
from shared.http.conditional import seen_versions
from shared.http.openapi import refusals
from shared.http.query import refuse_other_parameters
from shared.http.serializers import LocalizedField, StrictSerializer
from shared.telemetry import current_locale

MOST_HOURS: Final = 70


class ItineraryDaySerializer(serializers.Serializer[Any]):
    """A day of a trip. `description` is Markdown without HTML, and `description_html` is the same as HTML."""

    day = serializers.IntegerField()
    title = LocalizedField()
    description = LocalizedField()
    description_html = serializers.SerializerMethodField()
    destination_id = serializers.UUIDField(allow_null=True)

    def get_description_html(self, day: Any) -> str:
        """Return the description as HTML that a page can contain as it is."""
        return to_html(day.description.in_(current_locale()))


class MeetingPointSerializer(serializers.Serializer[Any]):
    """Where a trip begins."""

    name = LocalizedField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)


class TripContentSerializer(serializers.Serializer[Any]):
    """What a trip contains."""

    trip_id = serializers.UUIDField()
    itinerary = ItineraryDaySerializer(many=True)
    included = serializers.ListField(child=LocalizedField())
    excluded = serializers.ListField(child=LocalizedField())
    meeting_point = MeetingPointSerializer(allow_null=True)


class HoursSerializer(StrictSerializer):
    """A time of the week in which a place is open, local. 1 is Monday."""

    weekday = serializers.IntegerField(min_value=1, max_value=7)
    opens = serializers.TimeField(format="%H:%M", input_formats=["%H:%M"])
    closes = serializers.TimeField(format="%H:%M", input_formats=["%H:%M"])


class VisitingTimesSerializer(StrictSerializer):
    """Opening hours and season. Both months are null if the place is worth a visit all year."""

    opening_hours = HoursSerializer(many=True, max_length=MOST_HOURS)  # type: ignore[call-arg]  # of the list
    season_from_month = serializers.IntegerField(min_value=1, max_value=12, allow_null=True)
    season_to_month = serializers.IntegerField(min_value=1, max_value=12, allow_null=True)


class TripContent(SlugView):
    """What one trip contains."""

    @extend_schema(operation_id="trip_content", auth=[], responses={200: TripContentSerializer, **refusals(NotFound)})
    def get(self, request: Request, slug: str) -> Response:
        """Show what a trip contains, day by day."""
        refuse_other_parameters(request, ())
        self.version = selectors.trip_version(slug=slug)
        trip = self.current(selectors.trips_by_key(slugs=[slug]))
        return Response(TripContentSerializer(first(selectors.trip_contents(trip_ids=[trip.id]))).data)


class VisitingTimes(PlaceView):
    """When one place can be visited."""

    @extend_schema(
        operation_id="visiting_times", auth=[], responses={200: VisitingTimesSerializer, **refusals(NotFound)}
    )
    def get(self, request: Request, slug: str) -> Response:
        """Show a place's opening hours and its season."""
        refuse_other_parameters(request, ())
        return Response(
            VisitingTimesSerializer(first(selectors.visiting_times(destination_ids=[self.place().id]))).data
        )

    @extend_schema(
        operation_id="visiting_times_replace",
        parameters=IF_MATCH,
        request=VisitingTimesSerializer,
        responses={200: VisitingTimesSerializer, **refusals(*CHANGING)},
    )
    def put(self, request: Request, slug: str) -> Response:
        """Replace a place's opening hours and its season."""
        given = VisitingTimesSerializer.from_request(request).validated_data
        saved, self.version = services.save_visiting_times(
            destination_id=self.place().id,
            hours=[HoursView(**hours) for hours in given["opening_hours"]],
            season=(given["season_from_month"], given["season_to_month"]),
            seen=seen_versions(request),
        )
        return Response(VisitingTimesSerializer(saved).data)
