"""Passengers over REST."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings_service.bookings import services
from bookings_service.bookings.api import serializers as shapes
from bookings_service.bookings.refusals import NotChangeable
from shared.auth.drf import traveller_of
from shared.errors import NotFound
from shared.http.openapi import refusals
from shared.names import InvalidName


class PassengerDetail(APIView):
    """One passenger of a booking."""

    @extend_schema(
        request=shapes.RenameRequestSerializer,
        responses={200: shapes.BookingSerializer, **refusals(NotFound, InvalidName, NotChangeable)},
    )
    def patch(self, request: Request, passenger_id: UUID) -> Response:
        """Correct the passenger's name until the day before departure."""
        serializer = shapes.RenameRequestSerializer.from_request(request)
        booking = services.rename_passenger(
            passenger_id=passenger_id, **serializer.validated_data, traveller=traveller_of(request)
        )
        return Response(shapes.BookingSerializer(booking).data)
