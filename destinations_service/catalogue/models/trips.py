"""Trips and their departures."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from destinations_service.catalogue.models.places import CURRENCY, LANGUAGE_CODE, Destination, languages
from shared.ids import uuid7


class Trip(models.Model):
    """A trip that can be booked: its destination, duration, currency and cancellation policy."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=120, unique=True)
    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="trips")
    duration_days = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(120)])
    currency = models.CharField(
        max_length=3, validators=[CURRENCY], help_text="What its departures are priced and charged in."
    )
    tax_basis_points = models.PositiveIntegerField(default=0, help_text="Tax included in the prices: 2000 is 20 %.")
    languages = ArrayField(
        models.CharField(max_length=2, validators=[RegexValidator(r"\A[a-z]{2}\Z")]), default=list, blank=True,
        db_default=[], help_text="Spoken on the trip: ISO 639-1, comma separated, such as en, fr.",
    )  # fmt: skip
    maximum_group = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Most travellers; empty without a limit."
    )
    minimum_group = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Fewest travellers. Staff see the departures that stay below it.",
    )  # fmt: skip
    minimum_days_before = models.PositiveSmallIntegerField(
        default=14, db_default=14, help_text="Days before departure from which too few travellers are reported."
    )
    booking_opens_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days before departure from which it can be booked; empty for always."
    )
    booking_closes_hours = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Hours before departure until which it can be booked."
    )
    meeting_latitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    meeting_longitude = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    popularity = models.IntegerField(default=0, editable=False)
    version = models.BigIntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(name="trip_duration", condition=Q(duration_days__range=(1, 120))),
            models.CheckConstraint(name="trip_tax", condition=Q(tax_basis_points__lt=10_000)),
            models.CheckConstraint(
                name="trip_group",
                condition=Q(minimum_group__isnull=True)
                | Q(maximum_group__isnull=True)
                | Q(minimum_group__lte=F("maximum_group")),
            ),
            models.CheckConstraint(
                name="trip_meeting_point_has_both_coordinates",
                condition=Q(meeting_latitude__isnull=True, meeting_longitude__isnull=True)
                | Q(meeting_latitude__isnull=False, meeting_longitude__isnull=False),
            ),
            models.CheckConstraint(
                name="trip_meeting_point_on_the_globe",
                condition=Q(meeting_latitude__isnull=True, meeting_longitude__isnull=True)
                | Q(meeting_latitude__range=(-90, 90), meeting_longitude__range=(-180, 180)),
            ),
        ]
        indexes = [
            models.Index(fields=["-popularity", "id"], name="trip_by_popularity"),
            models.Index(fields=["duration_days", "id"], name="trip_by_duration"),
            models.Index(fields=["destination", "-popularity", "id"], name="trip_of_destination"),
        ]

    def __str__(self) -> str:
        return self.slug


class TripTranslation(models.Model):
    """The texts of a trip in one language."""

    trip = models.ForeignKey(Trip, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(max_length=2, choices=languages, validators=[LANGUAGE_CODE])
    title = models.CharField(max_length=150)
    description = models.TextField(blank=True, max_length=5_000)
    included = ArrayField(models.CharField(max_length=200), default=list, blank=True, db_default=[], size=30)
    excluded = ArrayField(models.CharField(max_length=200), default=list, blank=True, db_default=[], size=30)
    meeting_point = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trip", "language"], name="trip_one_translation")]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"


class ItineraryDay(models.Model):
    """A day of a trip's itinerary, and the place where it is spent if it has one of its own."""

    trip = models.ForeignKey(Trip, on_delete=models.CASCADE, related_name="itinerary")
    day = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(120)])
    destination = models.ForeignKey(Destination, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["trip", "day"], name="itinerary_day_once"),
            models.CheckConstraint(name="itinerary_day", condition=Q(day__range=(1, 120))),
        ]

    def __str__(self) -> str:
        return f"Day {self.day}"


class ItineraryDayTranslation(models.Model):
    """The texts of a day of an itinerary in one language. The description is Markdown."""

    itinerary_day = models.ForeignKey(ItineraryDay, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(max_length=2, choices=languages, validators=[LANGUAGE_CODE])
    title = models.CharField(max_length=150)
    description = models.TextField(blank=True, max_length=3_000)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["itinerary_day", "language"], name="itinerary_day_one_translation")
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"


class CancellationRule(models.Model):
    """A cancellation at least `days_before` days before departure refunds `refund_percent` of the price."""

    trip = models.ForeignKey(Trip, on_delete=models.CASCADE, related_name="cancellation_rules")
    days_before = models.PositiveSmallIntegerField()
    refund_percent = models.PositiveSmallIntegerField(validators=[MaxValueValidator(100)])

    class Meta:
        ordering = ["-days_before"]
        constraints = [
            models.UniqueConstraint(fields=["trip", "days_before"], name="cancellation_rule_once"),
            models.CheckConstraint(name="cancellation_rule_percent", condition=Q(refund_percent__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.days_before} days: {self.refund_percent} %"


class DepartureStatus(models.TextChoices):
    """Whether a departure can be booked. DEPARTED is not stored: it follows from the start."""

    OPEN = "OPEN", "Open"
    CLOSED = "CLOSED", "Closed"
    CANCELLED = "CANCELLED", "Cancelled"


class Departure(models.Model):
    """One date of a trip: its declared capacity, and its prices in the trip's currency.

    `version` grows with every change and orders the events for bookings_service. `rescheduled_at` is when its dates
    last changed, and `change_reason` is what staff told travellers about it. `seats_left` (the free seats),
    `seats_taken` and `seats_sequence` are a copy of bookings_service's counts, about a second old. Filters and orders
    use the copy; only bookings_service decides whether a seat is free.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    trip = models.ForeignKey(Trip, on_delete=models.PROTECT, related_name="departures")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    time_zone = models.CharField(max_length=50, help_text="IANA: where the trip takes place.")
    status = models.CharField(max_length=10, choices=DepartureStatus.choices, default=DepartureStatus.OPEN)
    capacity = models.PositiveIntegerField(validators=[MaxValueValidator(10_000)])
    adult_price = models.DecimalField(max_digits=14, decimal_places=3)
    child_price = models.DecimalField(max_digits=14, decimal_places=3)
    version = models.BigIntegerField(default=1, editable=False)
    # When bookings_service was asked for a lower capacity that is not committed yet. See services/capacity.py.
    cut_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    rescheduled_at = models.DateTimeField(null=True, blank=True, editable=False)
    change_reason = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    seats_left = models.IntegerField(null=True, blank=True, editable=False)
    seats_taken = models.IntegerField(default=0, editable=False)
    seats_sequence = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["trip", "starts_at"], name="departure_once"),
            models.CheckConstraint(name="departure_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(name="departure_prices", condition=Q(adult_price__gt=0, child_price__gte=0)),
            models.CheckConstraint(name="departure_capacity", condition=Q(capacity__lte=10_000)),
            models.CheckConstraint(name="departure_status", condition=Q(status__in=DepartureStatus.values)),
        ]
        indexes = [
            models.Index(fields=["trip", "status", "starts_at", "id"], name="departure_of_trip"),
            models.Index(fields=["cut_asked_at"], name="departure_cuts", condition=Q(cut_asked_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.trip_id} {self.starts_at:%Y-%m-%d}"
