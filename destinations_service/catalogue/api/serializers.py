"""The shapes of the catalogue over REST: views in the language of the request, and the fields that staff may write."""

from typing import Any

from rest_framework import serializers

from destinations_service.catalogue.contracts import DepartureChange
from destinations_service.catalogue.models import DepartureStatus
from destinations_service.catalogue.models.places import Kind
from shared.http.serializers import LocalizedField, MoneySerializer, StrictSerializer


class DestinationSerializer(serializers.Serializer[Any]):
    """A place."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    name = LocalizedField()
    summary = LocalizedField()
    description = LocalizedField()
    parent_id = serializers.UUIDField(allow_null=True)
    ancestors = serializers.ListField(child=serializers.UUIDField())
    country_code = serializers.CharField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    time_zone = serializers.CharField()
    population = serializers.IntegerField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    currency = serializers.CharField()
    distance_km = serializers.FloatField(allow_null=True)


class RuleSerializer(serializers.Serializer[Any]):
    """A cancellation at least `days_before` days before departure refunds `refund_percent`."""

    days_before = serializers.IntegerField()
    refund_percent = serializers.IntegerField()


class TripSerializer(serializers.Serializer[Any]):
    """A trip."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    title = LocalizedField()
    description = LocalizedField()
    destination_id = serializers.UUIDField()
    duration_days = serializers.IntegerField()
    currency = serializers.CharField()
    from_price = MoneySerializer(allow_null=True)
    languages = serializers.ListField(child=serializers.CharField())
    maximum_group = serializers.IntegerField(allow_null=True)
    minimum_group = serializers.IntegerField(allow_null=True)
    cancellation_policy = RuleSerializer(many=True, source="policy")


class DepartureSerializer(serializers.Serializer[Any]):
    """A departure of a trip."""

    id = serializers.UUIDField()
    trip_id = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    time_zone = serializers.CharField()
    status = serializers.CharField()
    capacity = serializers.IntegerField()
    adult_price = MoneySerializer()
    child_price = MoneySerializer()
    bookable_from = serializers.DateTimeField(allow_null=True)
    bookable_until = serializers.DateTimeField()


class DepartureScheduleSerializer(StrictSerializer):
    """A new departure of a trip."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    time_zone = serializers.CharField(max_length=50)
    capacity = serializers.IntegerField(max_value=2**31 - 1)
    adult_price = serializers.DecimalField(max_digits=14, decimal_places=3)
    child_price = serializers.DecimalField(max_digits=14, decimal_places=3)


class DepartureWriteSerializer(StrictSerializer):
    """The fields of a departure that staff may change."""

    capacity = serializers.IntegerField(required=False, max_value=2**31 - 1)
    status = serializers.ChoiceField(DepartureStatus.choices, required=False)
    adult_price = serializers.DecimalField(required=False, max_digits=14, decimal_places=3)
    child_price = serializers.DecimalField(required=False, max_digits=14, decimal_places=3)
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(required=False, max_length=300)

    def change(self) -> DepartureChange:
        """Return the request as the service takes it."""
        return DepartureChange(**self.validated_data)
