"""What staff write about places over REST, and the prices and photos that everybody reads."""

from typing import Any, Final

from rest_framework import serializers

from destinations_service.catalogue.contracts import DestinationDetails, PhotoDetails, PriceDetails
from destinations_service.catalogue.models.places import Kind, PriceCategory
from shared.http.serializers import LocalizedField, MoneySerializer, StrictSerializer
from shared.text import Locale

MOST_PHOTOS: Final = 200
_CAN_BE_EMPTY: Final = (
    "parent_id", "latitude", "longitude", "population", "season_from_month", "season_to_month",
)  # fmt: skip


class WordsSerializer(StrictSerializer):
    """The texts of a destination in one language. In a language that is new to it, the name is needed."""

    name = serializers.CharField(max_length=150)
    summary = serializers.CharField(max_length=300, required=False, allow_blank=True)
    description = serializers.CharField(max_length=5_000, required=False, allow_blank=True)


class TranslationsSerializer(StrictSerializer):
    """The texts of a destination by language."""

    def get_fields(self) -> dict[str, Any]:
        """Return a field for each language."""
        return {locale.value: WordsSerializer(required=False) for locale in Locale}


class DestinationWriteSerializer(StrictSerializer):
    """The fields of a destination that staff may write. A change contains only the fields that change.

    null empties a field. Without a country code, a place has that of the country that it is inside.
    """

    slug = serializers.SlugField(max_length=100)
    kind = serializers.ChoiceField(Kind.choices)
    parent_id = serializers.UUIDField(required=False, allow_null=True)
    country_code = serializers.RegexField(r"\A[A-Z]{2}\Z", required=False)
    latitude = serializers.FloatField(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = serializers.FloatField(required=False, allow_null=True, min_value=-180, max_value=180)
    time_zone = serializers.CharField(required=False, allow_blank=True, max_length=50)
    population = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**40)
    tags = serializers.ListField(child=serializers.SlugField(max_length=40), required=False, max_length=30)
    currency = serializers.CharField(max_length=3)
    season_from_month = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=12)
    season_to_month = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=12)
    translations = TranslationsSerializer()

    def details(self) -> DestinationDetails:
        """Return the request as the service takes it."""
        fields = dict(self.validated_data)
        translations = {language: dict(words) for language, words in fields.pop("translations", {}).items()}
        cleared = frozenset(name for name in _CAN_BE_EMPTY if name in fields and fields[name] is None)
        return DestinationDetails(**fields, translations=translations, cleared=cleared)


class PriceSerializer(serializers.Serializer[Any]):
    """An average price."""

    category = serializers.ChoiceField(PriceCategory.choices)
    price = MoneySerializer()
    as_of = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]  # DRF's own attribute of that name is of the field


class PricesSerializer(serializers.Serializer[Any]):
    """The average prices of a destination."""

    prices = PriceSerializer(many=True)


class PriceWriteSerializer(StrictSerializer):
    """An average price that staff write."""

    category = serializers.ChoiceField(PriceCategory.choices)
    amount = serializers.DecimalField(max_digits=14, decimal_places=3, min_value=0)
    currency = serializers.CharField(max_length=3)
    as_of = serializers.DateField()
    source = serializers.CharField(max_length=200)  # type: ignore[assignment]
    is_sample = serializers.BooleanField(required=False, default=False)


class PricesWriteSerializer(StrictSerializer):
    """Average prices, each category once."""

    prices = PriceWriteSerializer(many=True, max_length=len(PriceCategory))  # type: ignore[call-arg]  # of the list

    def details(self) -> list[PriceDetails]:
        """Return the request as the service takes it."""
        return [PriceDetails(**price) for price in self.validated_data["prices"]]


class PhotoSerializer(serializers.Serializer[Any]):
    """A photo. `renditions` are its files by width."""

    id = serializers.UUIDField()
    alt = LocalizedField()
    alt_en = serializers.CharField(source="alt.en")
    alt_fr = serializers.CharField(source="alt.fr")
    credit = serializers.CharField()
    license = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    renditions = serializers.SerializerMethodField()

    def get_renditions(self, photo: Any) -> list[dict[str, int | str]]:
        """Return the width and the address of each file."""
        return [{"width": width, "url": url} for width, url in photo.renditions]


class PhotosSerializer(serializers.Serializer[Any]):
    """The photos of a destination."""

    photos = PhotoSerializer(many=True)


class PhotoWriteSerializer(StrictSerializer):
    """The texts and the position of a photo. What is not sent stays."""

    id = serializers.UUIDField()
    alt_en = serializers.CharField(max_length=200, required=False)
    alt_fr = serializers.CharField(max_length=200, required=False)
    credit = serializers.CharField(max_length=200, required=False)
    license = serializers.CharField(max_length=100, required=False)
    position = serializers.IntegerField(min_value=0, max_value=32_767, required=False)


class PhotosWriteSerializer(StrictSerializer):
    """Photos of a destination, each once."""

    photos = PhotoWriteSerializer(many=True, max_length=MOST_PHOTOS)  # type: ignore[call-arg]  # of the list

    def details(self) -> list[PhotoDetails]:
        """Return the request as the service takes it."""
        return [PhotoDetails(**photo) for photo in self.validated_data["photos"]]
