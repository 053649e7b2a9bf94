"""Staff actions over REST, with the token of the member of staff: agents cancel, finance refunds."""

from decimal import Decimal
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings_service.bookings import services
from bookings_service.bookings.api import serializers as shapes
from bookings_service.bookings.api.views import IDEMPOTENCY_KEY, idempotency_key
from bookings_service.bookings.refusals import NotCancellable, QuoteExpired, QuoteOutdated
from bookings_service.payments.refusals import RefundNeedsNoDecision, RefundTooLarge
from shared.auth.drf import has_role, traveller_of
from shared.errors import Forbidden, IllegalTransition, InFlight, Invalid, KeyReused, NotFound
from shared.http.openapi import refusals
from shared.http.serializers import StrictSerializer
from shared.money import Money


class ReasonSerializer(StrictSerializer):
    """The reason of a staff action. Only staff can read it."""

    # The service refuses a reason of more than 300 characters; this limit only bounds the request.
    reason = serializers.CharField(max_length=1_000, allow_blank=True)


class StaffCancellationSerializer(ReasonSerializer):
    """The passengers to cancel, all if none is named. `refund_percent` replaces the rule's percentage."""

    passengers = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=20)
    refund_percent = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True, default=None)


class StaffRefundSerializer(ReasonSerializer):
    """The amount to refund."""

    amount = serializers.DecimalField(max_digits=18, decimal_places=4)
    currency = serializers.RegexField(r"^[A-Z]{3}$")

    def money(self) -> Money:
        """Return the amount. Raises Invalid for an unknown currency, or more decimal places than it has."""
        try:
            return Money(Decimal(self.validated_data["amount"]).normalize(), self.validated_data["currency"])
        except (ValueError, KeyError):
            raise Invalid(field="amount") from None


class StaffRefundedSerializer(serializers.Serializer[dict[str, object]]):
    """The refunds, one for each refunded payment, and the booking."""

    refunds = shapes.RefundSerializer(many=True)
    booking = shapes.BookingSerializer()


class StaffCancellationQuoteCreate(APIView):
    """Quotes of the cancellation of any traveller's booking."""

    permission_classes = [has_role("booking_agent")]

    @extend_schema(
        request=StaffCancellationSerializer,
        responses={201: shapes.CancellationQuoteSerializer, **refusals(NotFound, Forbidden, NotCancellable, Invalid)},
    )
    def post(self, request: Request, reference: str) -> Response:
        """Quote the cancellation by the trip's rule, or at the agent's percentage."""
        serializer = StaffCancellationSerializer.from_request(request)
        asked = serializer.validated_data
        quote = services.quote_cancellation_as_staff(
            reference=reference, passenger_ids=asked["passengers"], staff_id=_staff_id(request),
            staff_reason=asked["reason"], override_percent=asked["refund_percent"],
        )  # fmt: skip
        return Response(shapes.CancellationQuoteSerializer(quote).data, status=status.HTTP_201_CREATED)


class StaffCancellationConfirm(APIView):
    """The confirmation of a cancellation quote that the same agent made."""

    permission_classes = [has_role("booking_agent")]

    @extend_schema(
        request=None,
        responses={200: shapes.BookingSerializer, **refusals(NotFound, Forbidden, QuoteExpired, QuoteOutdated)},
    )
    def post(self, request: Request, quote_id: UUID) -> Response:
        """Cancel as quoted. A repeated request returns the booking as it is now."""
        booking = services.cancel_as_staff(cancellation_quote_id=quote_id, staff_id=_staff_id(request))
        return Response(shapes.BookingSerializer(booking).data)


class StaffRefundCreate(APIView):
    """Refunds without a cancellation."""

    permission_classes = [has_role("finance")]

    @extend_schema(
        request=StaffRefundSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            201: StaffRefundedSerializer,
            **refusals(NotFound, Forbidden, RefundTooLarge, KeyReused, InFlight, Invalid),
        },
    )
    def post(self, request: Request, reference: str) -> Response:
        """Refund an amount, at most what is refundable."""
        serializer = StaffRefundSerializer.from_request(request)
        refunds, booking = services.refund_booking(
            reference=reference, amount=serializer.money(), staff_reason=serializer.validated_data["reason"],
            staff_id=_staff_id(request), idempotency_key=idempotency_key(request),
        )  # fmt: skip
        shown = StaffRefundedSerializer({"refunds": refunds, "booking": booking}).data
        return Response(shown, status=status.HTTP_201_CREATED)


class RefundRetry(APIView):
    """Another attempt to pay out a failed refund."""

    permission_classes = [has_role("finance")]

    @extend_schema(
        request=ReasonSerializer,
        responses={
            200: shapes.RefundSerializer,
            **refusals(NotFound, Forbidden, IllegalTransition, RefundNeedsNoDecision, Invalid),
        },
    )
    def post(self, request: Request, refund_id: UUID) -> Response:
        """Schedule another attempt to pay out a failed refund."""
        serializer = ReasonSerializer.from_request(request)
        reason, staff_id = serializer.validated_data["reason"], _staff_id(request)
        refund = services.retry_refund(refund_id=refund_id, staff_reason=reason, staff_id=staff_id)
        return Response(shapes.RefundSerializer(refund).data)


class RefundWriteOff(APIView):
    """The write-off of a refund that will never be paid out."""

    permission_classes = [has_role("finance")]

    @extend_schema(
        request=ReasonSerializer,
        responses={200: shapes.RefundSerializer, **refusals(NotFound, Forbidden, RefundNeedsNoDecision, Invalid)},
    )
    def post(self, request: Request, refund_id: UUID) -> Response:
        """Write off a failed refund."""
        serializer = ReasonSerializer.from_request(request)
        reason, staff_id = serializer.validated_data["reason"], _staff_id(request)
        refund = services.write_off_refund(refund_id=refund_id, staff_reason=reason, staff_id=staff_id)
        return Response(shapes.RefundSerializer(refund).data)


def _staff_id(request: Request) -> UUID:
    """Return the id of the member of staff who sends the request.

    A member of staff has an ordinary account in users_service, with a role.
    """
    return traveller_of(request).id
