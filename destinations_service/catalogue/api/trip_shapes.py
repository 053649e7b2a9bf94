"""What staff write about trips over REST."""

from typing import Any

from rest_framework import serializers

from destinations_service.catalogue.contracts import TripDetails
from shared.http.serializers import StrictSerializer
from shared.text import Locale


class TripWordsSerializer(StrictSerializer):
    """The texts of a trip in one language. In a language that is new to it, the title is needed."""

    title = serializers.CharField(max_length=150, required=False)
    description = serializers.CharField(max_length=5_000, required=False, allow_blank=True)
    included = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=30)
    excluded = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=30)
    meeting_point = serializers.CharField(max_length=200, required=False, allow_blank=True)


class TripTranslationsSerializer(StrictSerializer):
    """The texts of a trip by language."""

    def get_fields(self) -> dict[str, Any]:
        """Return a field for each language."""
        return {locale.value: TripWordsSerializer(required=False) for locale in Locale}


class RuleWriteSerializer(StrictSerializer):
    """A cancellation at least `days_before` days before departure refunds `refund_percent`."""

    days_before = serializers.IntegerField(min_value=0, max_value=1_000)
    refund_percent = serializers.IntegerField(min_value=0, max_value=100)


class TripWriteSerializer(StrictSerializer):
    """The fields of a trip that staff may write. A change contains only the fields that change; null empties one."""

    slug = serializers.SlugField(max_length=120)
    destination_id = serializers.UUIDField()
    duration_days = serializers.IntegerField(min_value=1, max_value=120)
    currency = serializers.CharField(max_length=3)
    tax_basis_points = serializers.IntegerField(required=False, min_value=0, max_value=9_999)
    languages = serializers.ListField(child=serializers.CharField(max_length=2), required=False, max_length=20)
    maximum_group = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10_000)
    minimum_group = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10_000)
    minimum_days_before = serializers.IntegerField(required=False, min_value=0, max_value=365)
    booking_opens_days = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=1_000)
    booking_closes_hours = serializers.IntegerField(required=False, min_value=0, max_value=10_000)
    meeting_latitude = serializers.FloatField(required=False, allow_null=True, min_value=-90, max_value=90)
    meeting_longitude = serializers.FloatField(required=False, allow_null=True, min_value=-180, max_value=180)
    translations = TripTranslationsSerializer()
    cancellation_policy = serializers.ListField(child=RuleWriteSerializer(), required=False, max_length=20)

    def details(self) -> TripDetails:
        """Return the request as the service takes it."""
        fields = dict(self.validated_data)
        translations = {language: dict(words) for language, words in fields.pop("translations", {}).items()}
        rules = fields.pop("cancellation_policy", None)
        policy = None if rules is None else tuple((rule["days_before"], rule["refund_percent"]) for rule in rules)
        return TripDetails(fields=fields, translations=translations, policy=policy)
