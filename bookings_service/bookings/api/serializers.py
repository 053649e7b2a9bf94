"""Requests and responses of bookings over REST. Requests are strict: an unknown field, such as a price, is refused."""

from typing import Any

from rest_framework import serializers

from bookings_service.bookings.contracts import CreateBooking, CreateQuote, PassengerDetails, PassengerKind
from shared.http.serializers import LocalizedField, MoneySerializer, StrictSerializer

INT32 = 2**31 - 1


class QuoteRequestSerializer(StrictSerializer):
    """A departure, and the party that would travel."""

    departure_id = serializers.UUIDField()
    adults = serializers.IntegerField(min_value=-INT32, max_value=INT32)
    children = serializers.IntegerField(min_value=-INT32, max_value=INT32, default=0)
    waitlist_entry_id = serializers.UUIDField(required=False, allow_null=True, default=None)

    def command(self) -> CreateQuote:
        """Return the request as a command."""
        return CreateQuote(**self.validated_data)


class PriceLineSerializer(serializers.Serializer[Any]):
    """A price line."""

    label = LocalizedField()  # type: ignore[assignment]  # the contract's name
    quantity = serializers.IntegerField()
    unit_price = MoneySerializer()
    total = MoneySerializer()
    tax = MoneySerializer()


class CancellationRuleSerializer(serializers.Serializer[Any]):
    """A cancellation at least `days_before` days before departure refunds `refund_percent`."""

    days_before = serializers.IntegerField()
    refund_percent = serializers.IntegerField()


class QuoteSerializer(serializers.Serializer[Any]):
    """A price, fixed until `expires_at`."""

    id = serializers.UUIDField()
    departure_id = serializers.UUIDField()
    adults = serializers.IntegerField()
    children = serializers.IntegerField()
    lines = PriceLineSerializer(many=True)
    total = MoneySerializer()
    expires_at = serializers.DateTimeField()
    cancellation_policy = CancellationRuleSerializer(many=True, source="policy")


class PassengerRequestSerializer(StrictSerializer):
    """A passenger of the new booking."""

    first_name = serializers.CharField(max_length=1_000, allow_blank=True, trim_whitespace=False)
    last_name = serializers.CharField(max_length=1_000, allow_blank=True, trim_whitespace=False)
    kind = serializers.ChoiceField([kind.value for kind in PassengerKind])
    date_of_birth = serializers.DateField(required=False, allow_null=True, default=None)


class BookingRequestSerializer(StrictSerializer):
    """The quote to book, and its passengers. A request with a price is refused."""

    quote_id = serializers.UUIDField()
    passengers = PassengerRequestSerializer(many=True, allow_empty=False, max_length=20)  # type: ignore[call-arg]

    def command(self, idempotency_key: str) -> CreateBooking:
        """Return the request as a command."""
        passengers = tuple(
            PassengerDetails(**{**passenger, "kind": PassengerKind(passenger["kind"])})
            for passenger in self.validated_data["passengers"]
        )
        return CreateBooking(self.validated_data["quote_id"], passengers, idempotency_key)


class PassengerSerializer(serializers.Serializer[Any]):
    """A passenger of a booking."""

    id = serializers.UUIDField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    kind = serializers.CharField()
    date_of_birth = serializers.DateField(allow_null=True)
    cancelled = serializers.BooleanField()


class PaymentSerializer(serializers.Serializer[Any]):
    """One attempt to pay. While it is REQUIRES_ACTION, the traveller continues at `redirect_url`."""

    id = serializers.UUIDField()
    amount = MoneySerializer()
    status = serializers.CharField()
    provider = serializers.CharField()
    failure_code = serializers.CharField()
    redirect_url = serializers.CharField()
    created_at = serializers.DateTimeField()


class RefundSerializer(serializers.Serializer[Any]):
    """A refund of a payment."""

    id = serializers.UUIDField()
    amount = MoneySerializer()
    status = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class DepartureChangeSerializer(serializers.Serializer[Any]):
    """What the organiser changed after the trip was booked. The booking's own dates are the new ones.

    A cancellation before `free_cancellation_until` refunds everything, unless the change was accepted.
    """

    at = serializers.DateTimeField()
    reason = serializers.CharField()
    previous_starts_at = serializers.DateTimeField()
    previous_ends_at = serializers.DateTimeField()
    free_cancellation_until = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)


class BookingSerializer(serializers.Serializer[Any]):
    """A booking as it is now."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    departure_id = serializers.UUIDField()
    title = LocalizedField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    time_zone = serializers.CharField()
    passengers = PassengerSerializer(many=True)
    lines = PriceLineSerializer(many=True)
    total = MoneySerializer()
    paid = MoneySerializer()
    refunded = MoneySerializer()
    hold_expires_at = serializers.DateTimeField(allow_null=True)
    sequence = serializers.IntegerField()
    payments = PaymentSerializer(many=True)
    refunds = RefundSerializer(many=True)
    created_at = serializers.DateTimeField()
    change = DepartureChangeSerializer(allow_null=True)


class EventSerializer(serializers.Serializer[Any]):
    """A history entry of a booking."""

    sequence = serializers.IntegerField()
    type = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    message = LocalizedField()


class CancellationRequestSerializer(StrictSerializer):
    """The passengers to cancel. If none is named, all are cancelled."""

    passengers = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=20)


class CancellationQuoteSerializer(serializers.Serializer[Any]):
    """What a cancellation now would refund and keep."""

    id = serializers.UUIDField()
    refund = MoneySerializer()
    kept = MoneySerializer()
    explanation = serializers.ListField(child=LocalizedField())
    expires_at = serializers.DateTimeField()


class RenameRequestSerializer(StrictSerializer):
    """The corrected name of a passenger."""

    first_name = serializers.CharField(max_length=1_000, allow_blank=True, trim_whitespace=False)
    last_name = serializers.CharField(max_length=1_000, allow_blank=True, trim_whitespace=False)


class WaitlistRequestSerializer(StrictSerializer):
    """A party, and the full departure that it waits for."""

    departure_id = serializers.UUIDField()
    seats = serializers.IntegerField(min_value=-INT32, max_value=INT32)


class WaitlistEntrySerializer(serializers.Serializer[Any]):
    """A waiting-list entry; `position` is 1 for the first. If it is OFFERED, a quote can take its seats."""

    id = serializers.UUIDField()
    departure_id = serializers.UUIDField()
    seats = serializers.IntegerField()
    status = serializers.CharField()
    position = serializers.IntegerField(allow_null=True)
    offered_until = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class PayRequestSerializer(StrictSerializer):
    """The provider's token of a payment method. The booking's total is paid; a request with an amount is refused."""

    payment_method = serializers.CharField(max_length=100)


class PaidSerializer(serializers.Serializer[Any]):
    """A payment and its booking."""

    payment = PaymentSerializer()
    booking = BookingSerializer()
