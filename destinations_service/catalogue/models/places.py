"""Places: the tree of countries, cities and points of interest, with their translations, photos and prices."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from destinations_service.catalogue.place_rules import check_currency
from shared.errors import Invalid
from shared.ids import uuid7
from shared.telemetry import current_locale
from shared.text import Locale

LANGUAGE_NAMES = {Locale.EN: "English", Locale.FR: "Français"}
LANGUAGE_CODE = RegexValidator(r"\A[A-Z]{2}\Z", "An ISO 639-1 code of two capital letters.")
PEOPLE = Coalesce("population", Value(0))


def known_currency(code: str) -> None:
    """Raise ValidationError unless `code` is that of a currency that people pay with."""
    try:
        check_currency(code)
    except Invalid as refusal:
        raise ValidationError(refusal.localized(current_locale())) from None


CURRENCY = known_currency


class Kind(models.TextChoices):
    """The kind of a destination."""

    COUNTRY = "COUNTRY", "Country"
    CITY = "CITY", "City"
    POINT_OF_INTEREST = "POINT_OF_INTEREST", "Point of interest"


def languages() -> list[tuple[str, str]]:
    """Return the languages that staff write texts in, each with its name. They are data: no migration knows them."""
    return [(locale.value, LANGUAGE_NAMES[locale]) for locale in Locale]


class PriceCategory(models.TextChoices):
    """What an average price pays for."""

    DAY_BUDGET = "DAY_BUDGET", "A day, on a budget"
    DAY_MIDRANGE = "DAY_MIDRANGE", "A day, mid-range"
    DAY_LUXURY = "DAY_LUXURY", "A day, in luxury"
    HOTEL_NIGHT = "HOTEL_NIGHT", "A night in a hotel"
    MEAL = "MEAL", "A meal"
    LOCAL_TRANSPORT = "LOCAL_TRANSPORT", "Local transport"
    ADMISSION = "ADMISSION", "Admission"


class Destination(models.Model):
    """A country, a city in it, or a point of interest in a city or country.

    `ancestors` lists the ids from the country down to the parent. Services derive `daily_cost_eur` from prices, and the
    search index from names and tags, whenever they write those. `popularity` counts the seats taken on trips here and
    below.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(
        max_length=100, unique=True, help_text="Part of the public address; do not change it lightly."
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children",
        help_text="The country of a city; the city or country of a point of interest.",
    )  # fmt: skip
    ancestors = ArrayField(models.UUIDField(), default=list, blank=True, editable=False)
    country_code = models.CharField(
        max_length=2, validators=[RegexValidator(r"\A[A-Z]{2}\Z")], help_text="ISO 3166-1 alpha-2."
    )
    latitude = models.FloatField(null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)])
    time_zone = models.CharField(max_length=50, blank=True, help_text="IANA, such as Europe/Paris.")
    population = models.BigIntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    tags = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Comma separated, such as beach, museum."
    )
    currency = models.CharField(max_length=3, validators=[CURRENCY], help_text="ISO 4217.")
    season_from_month = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)],
        help_text="First month in which a point of interest is worth a visit, 1 to 12. Empty for all year.",
    )  # fmt: skip
    season_to_month = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)],
        help_text="Last month, 1 to 12. It may be before the first: a winter season goes over the new year.",
    )  # fmt: skip
    popularity = models.IntegerField(default=0, editable=False)
    daily_cost_eur = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True, editable=False)
    # No longer read. It stays until no release writes it.
    search_text = models.TextField(default="", db_default="", blank=True, editable=False)
    version = models.BigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                name="destination_country_is_the_root",
                condition=Q(kind="COUNTRY", parent__isnull=True) | (~Q(kind="COUNTRY") & Q(parent__isnull=False)),
            ),
            models.CheckConstraint(
                name="destination_on_the_globe",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
            ),
            # Half of a pair makes the conditions above and below NULL, which a CHECK allows.
            models.CheckConstraint(
                name="destination_both_coordinates",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
            ),
            models.CheckConstraint(
                name="destination_both_months",
                condition=Q(season_from_month__isnull=True, season_to_month__isnull=True)
                | Q(season_from_month__isnull=False, season_to_month__isnull=False),
            ),
            models.CheckConstraint(
                name="destination_population", condition=Q(population__isnull=True) | Q(population__gte=0)
            ),
            models.CheckConstraint(name="destination_kind", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(
                name="destination_season",
                condition=Q(season_from_month__isnull=True, season_to_month__isnull=True)
                | Q(season_from_month__range=(1, 12), season_to_month__range=(1, 12)),
            ),
        ]
        indexes = [
            models.Index(fields=["parent", "kind", "-population", "id"], name="destination_children"),
            # In the orders of the search: a place without a population is like one of 0.
            models.Index(F("popularity").desc(), PEOPLE.desc(), "id", name="destination_popular"),
            models.Index("kind", F("popularity").desc(), PEOPLE.desc(), "id", name="destination_popular_of_kind"),
            models.Index(fields=["country_code", "kind"], name="destination_by_country"),
            models.Index(fields=["latitude", "longitude"], name="destination_near"),
            models.Index(fields=["daily_cost_eur", "id"], name="destination_by_cost"),
            GinIndex(fields=["ancestors"], name="destination_ancestors"),
            GinIndex(fields=["tags"], name="destination_tags"),
        ]

    def __str__(self) -> str:
        return self.slug


class DestinationTranslation(models.Model):
    """The texts of a destination in one language."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(max_length=2, choices=languages, validators=[LANGUAGE_CODE])
    name = models.CharField(max_length=150)
    summary = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True, max_length=5_000)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["destination", "language"], name="destination_one_translation"),
        ]
        indexes = [models.Index(fields=["language", "name", "destination"], name="destination_by_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class OpeningHours(models.Model):
    """A time of the week in which a point of interest is open. A day with a break has two."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(7)], help_text="1 is Monday."
    )
    opens = models.TimeField(help_text="Local time.")
    closes = models.TimeField(help_text="Local time, later than it opens.")

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.UniqueConstraint(fields=["destination", "weekday", "opens"], name="opening_hours_once"),
            models.CheckConstraint(name="opening_hours_weekday", condition=Q(weekday__range=(1, 7))),
            models.CheckConstraint(name="opening_hours_close_after_they_open", condition=Q(closes__gt=F("opens"))),
        ]

    def __str__(self) -> str:
        return f"{self.weekday}: {self.opens:%H:%M} to {self.closes:%H:%M}"


class SlugRedirect(models.Model):
    """A slug that a destination or a trip had before. It still finds the row, which has another slug now."""

    slug = models.CharField(max_length=120)
    destination = models.ForeignKey(Destination, null=True, on_delete=models.CASCADE, related_name="earlier_slugs")
    trip = models.ForeignKey("catalogue.Trip", null=True, on_delete=models.CASCADE, related_name="earlier_slugs")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="slug_redirect_leads_to_one_row",
                condition=Q(destination__isnull=True, trip__isnull=False)
                | Q(destination__isnull=False, trip__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["slug"], condition=Q(destination__isnull=False), name="slug_redirect_of_destination"
            ),
            models.UniqueConstraint(fields=["slug"], condition=Q(trip__isnull=False), name="slug_redirect_of_trip"),
        ]

    def __str__(self) -> str:
        return self.slug


class Photo(models.Model):
    """A picture of a destination, or of a trip.

    If `is_drawn`, it is a map drawn at the first request; else it is an uploaded file.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    destination = models.ForeignKey(Destination, null=True, blank=True, on_delete=models.CASCADE, related_name="photos")
    trip = models.ForeignKey("catalogue.Trip", null=True, blank=True, on_delete=models.CASCADE, related_name="photos")
    image = models.ImageField(upload_to="originals/", blank=True, width_field="width", height_field="height")
    is_drawn = models.BooleanField(default=False)
    alt_en = models.CharField("alternative text, English", max_length=200)
    alt_fr = models.CharField("alternative text, French", max_length=200)
    credit = models.CharField(max_length=200)
    license = models.CharField(max_length=100)
    width = models.PositiveIntegerField(default=1280)
    height = models.PositiveIntegerField(default=853)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(name="photo_is_drawn_or_has_a_file", condition=Q(is_drawn=True) | ~Q(image="")),
            models.CheckConstraint(
                name="photo_of_a_destination_or_a_trip",
                condition=Q(destination__isnull=True, trip__isnull=False)
                | Q(destination__isnull=False, trip__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["destination", "position", "id"], name="photo_of_destination"),
            models.Index(fields=["trip", "position", "id"], name="photo_of_trip", condition=Q(trip__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.alt_en


class AveragePrice(models.Model):
    """An average price at a destination, in its currency, with the source and the date."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="average_prices")
    category = models.CharField(max_length=20, choices=PriceCategory.choices)
    amount = models.DecimalField(max_digits=14, decimal_places=3, validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, validators=[CURRENCY])
    as_of = models.DateField()
    source = models.CharField(max_length=200)
    is_sample = models.BooleanField(default=False, help_text="An estimate, not a survey.")

    class Meta:
        ordering = ["category"]
        constraints = [
            models.UniqueConstraint(fields=["destination", "category"], name="average_price_once"),
            models.CheckConstraint(name="average_price_not_negative", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.get_category_display()}: {self.amount} {self.currency}"


class ExchangeRate(models.Model):
    """The units of `currency` for one euro on a day."""

    currency = models.CharField(max_length=3, validators=[CURRENCY])
    rate = models.DecimalField(max_digits=18, decimal_places=6)
    as_of = models.DateField()
    source = models.CharField(max_length=200)

    class Meta:
        ordering = ["currency", "-as_of"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "as_of"], name="exchange_rate_once_a_day"),
            models.CheckConstraint(name="exchange_rate_positive", condition=Q(rate__gt=0)),
        ]

    def __str__(self) -> str:
        return f"1 EUR = {self.rate} {self.currency} ({self.as_of})"
