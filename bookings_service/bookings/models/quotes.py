"""Quotes: a price that is fixed for one traveller."""

from django.db import models
from django.db.models import F, Q

from bookings_service.bookings.models.waitlist import WaitlistEntry
from shared.ids import uuid7


class Quote(models.Model):
    """What a party costs on a departure, with everything that its booking will copy.

    It can be booked once, until `expires_at`, as long as the departure has the dates of the quote. `bookable_until` is
    the end of the trip's booking window, or null if the trip has none.

    Amounts are in minor units of `currency`. bookings.json_columns writes and reads the JSON of `lines` and `policy`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    traveller_id = models.UUIDField()
    departure_id = models.UUIDField()
    adults = models.PositiveSmallIntegerField()
    children = models.PositiveSmallIntegerField()
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    lines = models.JSONField()
    policy = models.JSONField()
    title_en = models.CharField(max_length=150)
    title_fr = models.CharField(max_length=150)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    time_zone = models.CharField(max_length=50)
    bookable_until = models.DateTimeField(null=True, blank=True)
    waitlist_entry = models.ForeignKey(
        WaitlistEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="quotes"
    )
    held_seats = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Seats of a waiting-list offer, held until it is booked or expires."
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="quote_has_an_adult", condition=Q(adults__gte=1)),
            models.CheckConstraint(
                name="quote_holds_for_its_party",
                condition=Q(held_seats=0) | Q(held_seats=F("adults") + F("children"), used_at__isnull=True),
            ),
            models.CheckConstraint(name="quote_total_positive", condition=Q(total_minor__gt=0)),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="quote_by_expiry"),
            models.Index(fields=["expires_at"], name="quote_holds", condition=Q(held_seats__gt=0)),
        ]

    def __str__(self) -> str:
        return str(self.id)
