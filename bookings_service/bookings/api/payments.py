"""Payments over REST, and the address at which providers deliver their webhooks."""

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bookings_service.bookings import services
from bookings_service.bookings.api.serializers import PaidSerializer, PayRequestSerializer
from bookings_service.bookings.api.views import IDEMPOTENCY_KEY, idempotency_key
from bookings_service.payments.providers.base import WebhookRefused
from bookings_service.payments.refusals import (
    AlreadyPaid,
    InvalidPaymentMethod,
    NotPayable,
    PaymentInProgress,
    ProviderUnavailable,
)
from shared.auth.drf import traveller_of
from shared.errors import InFlight, Invalid, KeyReused, NotFound, RateLimited
from shared.http.openapi import refusals


class PaymentCreate(APIView):
    """The payments of a booking."""

    @extend_schema(
        request=PayRequestSerializer,
        parameters=[IDEMPOTENCY_KEY],
        responses={
            200: PaidSerializer,
            **refusals(
                NotFound, NotPayable, InvalidPaymentMethod, PaymentInProgress, AlreadyPaid, ProviderUnavailable,
                KeyReused, InFlight, RateLimited,
            ),
        },
    )  # fmt: skip
    def post(self, request: Request, reference: str) -> Response:
        """Pay the booking's total. A declined payment is FAILED. If it is PROCESSING, read the booking again."""
        serializer = PayRequestSerializer.from_request(request)
        payment, booking = services.pay_booking(
            reference=reference,
            payment_method=serializer.validated_data["payment_method"],
            idempotency_key=idempotency_key(request),
            traveller=traveller_of(request),
        )
        return Response(PaidSerializer({"payment": payment, "booking": booking}).data)


class RawParser(BaseParser):
    """Leaves the body unparsed, because the webhook's signature covers its bytes."""

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):  # type: ignore[no-untyped-def]
        """Return the bytes."""
        return stream.read()


class WebhookReceiver(APIView):
    """Receives the webhooks of a payment provider."""

    authentication_classes = []
    permission_classes = [AllowAny]
    parser_classes = [RawParser]

    @extend_schema(
        request={"application/json": dict}, responses={204: None, **refusals(WebhookRefused, NotFound, Invalid)}
    )
    def post(self, request: Request, provider: str) -> Response:
        """Record a signed webhook. Answer 204, also for a repeat."""
        body = request.data if isinstance(request.data, bytes) else b""  # an empty body is not parsed at all
        services.receive_webhook(provider_name=provider, headers=request.headers, body=body)
        return Response(status=204)
