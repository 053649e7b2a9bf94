"""Quotes and bookings over REST. Each view parses, calls one service or selector, and shows the result."""

from datetime import date
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings_service.bookings import selectors, services
from bookings_service.bookings.api import serializers as shapes
from bookings_service.bookings.contracts import BookingFilter
from bookings_service.bookings.domain.booking import REFERENCE_LENGTH, Status
from bookings_service.bookings.refusals import (
    DepartureClosed,
    HoldLimitReached,
    InvalidPassengers,
    NotCancellable,
    NotChanged,
    PassengersMismatch,
    QuoteExpired,
    QuoteOutdated,
    QuoteUsed,
    SeatsUnavailable,
)
from bookings_service.bookings.selectors import BookingOrder
from shared.auth.drf import traveller_of
from shared.errors import InFlight, Invalid, KeyReused, NotFound, RateLimited, Unavailable
from shared.http.deadlines import deadline_of
from shared.http.openapi import page_of, refusals
from shared.http.pagination import page_arguments, page_response, rest_names
from shared.http.query import BadParameter, calendar_date, refuse_other_parameters, whole_number
from shared.names import InvalidName

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, required=True,
    description="1–255 visible ASCII characters. A repeated request with the same key only returns the first result.",
)  # fmt: skip


def idempotency_key(request: Request) -> str:
    """Return the Idempotency-Key header, or "". The service checks it."""
    return request.headers.get("Idempotency-Key", "")


class QuoteCreate(APIView):
    """Quotes of prices."""

    @extend_schema(
        request=shapes.QuoteRequestSerializer,
        responses={
            201: shapes.QuoteSerializer,
            **refusals(InvalidPassengers, NotFound, DepartureClosed, SeatsUnavailable, Unavailable),
        },
    )
    def post(self, request: Request) -> Response:
        """Fix a price for the traveller."""
        serializer = shapes.QuoteRequestSerializer.from_request(request)
        quote = services.create_quote(
            command=serializer.command(), traveller=traveller_of(request), deadline=deadline_of(request)
        )
        return Response(shapes.QuoteSerializer(quote).data, status=status.HTTP_201_CREATED)


class QuoteDetail(APIView):
    """One quote."""

    @extend_schema(responses={200: shapes.QuoteSerializer, **refusals(NotFound)})
    def get(self, request: Request, quote_id: UUID) -> Response:
        """Show the traveller's quote."""
        refuse_other_parameters(request, ())
        return Response(
            shapes.QuoteSerializer(selectors.quote(quote_id=quote_id, traveller_id=traveller_of(request).id)).data
        )


class BookingList(APIView):
    """The traveller's bookings."""

    @extend_schema(
        operation_id="bookings_list",
        parameters=[
            OpenApiParameter("status", str, enum=[value.value for value in Status]),
            OpenApiParameter("starts_from", date, description="Departs on this day or later, in the trip's time zone."),
            OpenApiParameter("starts_to", date, description="Departs on this day or earlier, in the trip's time zone."),
            OpenApiParameter("reference", str, description="The beginning of a reference."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("limit", int),
        ],
        responses={200: page_of(shapes.BookingSerializer), **refusals(Invalid)},
    )
    def get(self, request: Request) -> Response:
        """List the traveller's bookings, newest first."""
        refuse_other_parameters(request, {"status", "starts_from", "starts_to", "reference"})
        booking_status = request.query_params.get("status", "")
        if booking_status and booking_status not in Status.__members__:
            raise BadParameter(field="status", parameter="status")
        arguments = page_arguments(request)
        wanted = BookingFilter(
            traveller_id=traveller_of(request).id,
            status=booking_status,
            starts_from=calendar_date(request, "starts_from"),
            starts_to=calendar_date(request, "starts_to"),
            reference=request.query_params.get("reference", "")[:REFERENCE_LENGTH],
        )
        with rest_names():
            cut = selectors.bookings_page(wanted=wanted, order=BookingOrder.NEWEST, **arguments)
        results = shapes.BookingSerializer(cut.rows, many=True).data
        return page_response(request, cut, results=results)

    @extend_schema(
        request=shapes.BookingRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: shapes.BookingSerializer,
            **refusals(
                NotFound, QuoteExpired, QuoteUsed, PassengersMismatch, InvalidPassengers, InvalidName, DepartureClosed,
                SeatsUnavailable, HoldLimitReached, KeyReused, InFlight, Unavailable,
            ),
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Hold the quote's seats and open a booking."""
        serializer = shapes.BookingRequestSerializer.from_request(request)
        booking = services.create_booking(
            command=serializer.command(idempotency_key(request)),
            traveller=traveller_of(request),
            deadline=deadline_of(request),
        )
        return Response(shapes.BookingSerializer(booking).data, status=status.HTTP_201_CREATED)


class BookingDetail(APIView):
    """One booking."""

    @extend_schema(responses={200: shapes.BookingSerializer, **refusals(NotFound, RateLimited)})
    def get(self, request: Request, reference: str) -> Response:
        """Show the traveller's booking."""
        refuse_other_parameters(request, ())
        booking = selectors.booking_by_reference(reference=reference, traveller_id=traveller_of(request).id)
        return Response(shapes.BookingSerializer(booking).data)


class BookingHistory(APIView):
    """The history of a booking."""

    @extend_schema(
        parameters=[OpenApiParameter("after_sequence", int)],
        responses={200: shapes.EventSerializer(many=True), **refusals(NotFound, Invalid, RateLimited)},
    )
    def get(self, request: Request, reference: str) -> Response:
        """List the booking's history entries after a sequence, oldest first."""
        refuse_other_parameters(request, {"after_sequence"})
        after = whole_number(request, "after_sequence", minimum=0, maximum=10**9, default=0)
        _, events = selectors.booking_with_history(
            reference=reference, traveller_id=traveller_of(request).id, after=after
        )
        return Response(shapes.EventSerializer(events, many=True).data)


class ChangeAcceptance(APIView):
    """The acceptance of new dates."""

    @extend_schema(
        request=None, responses={200: shapes.BookingSerializer, **refusals(NotFound, NotChanged, RateLimited)}
    )
    def post(self, request: Request, reference: str) -> Response:
        """Accept the new dates of a departure that was moved. A repeated request returns the booking as it is now."""
        booking = services.accept_change(reference=reference, traveller=traveller_of(request))
        return Response(shapes.BookingSerializer(booking).data)


class CancellationQuoteCreate(APIView):
    """Quotes of a booking's cancellation."""

    @extend_schema(
        request=shapes.CancellationRequestSerializer,
        responses={201: shapes.CancellationQuoteSerializer, **refusals(NotFound, NotCancellable, RateLimited)},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Quote what cancelling now would refund, and why."""
        serializer = shapes.CancellationRequestSerializer.from_request(request)
        quote = services.quote_cancellation(
            reference=reference, passenger_ids=serializer.validated_data["passengers"], traveller=traveller_of(request)
        )
        return Response(shapes.CancellationQuoteSerializer(quote).data, status=status.HTTP_201_CREATED)


class CancellationConfirm(APIView):
    """The confirmation of a cancellation quote."""

    @extend_schema(
        request=None, responses={200: shapes.BookingSerializer, **refusals(NotFound, QuoteExpired, QuoteOutdated)}
    )
    def post(self, request: Request, quote_id: UUID) -> Response:
        """Cancel as quoted. A repeated request returns the booking as it is now."""
        booking = services.cancel_booking(cancellation_quote_id=quote_id, traveller=traveller_of(request))
        return Response(shapes.BookingSerializer(booking).data)
