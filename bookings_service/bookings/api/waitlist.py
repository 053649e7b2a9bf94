"""The waiting list over REST."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings_service.bookings import selectors, services
from bookings_service.bookings.api import serializers as shapes
from bookings_service.bookings.refusals import DepartureClosed, InvalidPassengers, SeatsAvailable
from shared.auth.drf import traveller_of
from shared.errors import NotFound, Unavailable
from shared.http.deadlines import deadline_of
from shared.http.openapi import refusals
from shared.http.query import refuse_other_parameters


class WaitlistEntryList(APIView):
    """The traveller's waiting-list entries."""

    @extend_schema(operation_id="waitlist_list", responses={200: shapes.WaitlistEntrySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """List the traveller's entries, newest first."""
        refuse_other_parameters(request, ())
        traveller_id = traveller_of(request).id
        entries = selectors.waitlist_of(traveller_ids=[traveller_id])[traveller_id]
        return Response(shapes.WaitlistEntrySerializer(entries, many=True).data)

    @extend_schema(
        request=shapes.WaitlistRequestSerializer,
        responses={
            200: shapes.WaitlistEntrySerializer,
            **refusals(InvalidPassengers, NotFound, DepartureClosed, SeatsAvailable, Unavailable),
        },
    )
    def post(self, request: Request) -> Response:
        """Join the waiting list of a full departure. A repeated request returns the same entry."""
        serializer = shapes.WaitlistRequestSerializer.from_request(request)
        entry = services.join_waitlist(
            **serializer.validated_data, traveller=traveller_of(request), deadline=deadline_of(request)
        )
        return Response(shapes.WaitlistEntrySerializer(entry).data)


class WaitlistEntryDetail(APIView):
    """One waiting-list entry."""

    @extend_schema(request=None, responses={204: None, **refusals(NotFound)})
    def delete(self, request: Request, entry_id: UUID) -> Response:
        """Leave the waiting list. Seats offered to the entry go to the next entry."""
        services.leave_waitlist(entry_id=entry_id, traveller=traveller_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
