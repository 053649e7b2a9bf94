"""Bookings with their passengers and their history."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from bookings_service.bookings.contracts import PassengerKind
from bookings_service.bookings.domain.booking import Reason, Status
from bookings_service.bookings.models.quotes import Quote
from shared.ids import uuid7


class Booking(models.Model):
    """A party's seats on a departure.

    `sequence` is the number of its history entries. Amounts are minor units of `currency`.

    `starts_at` and `ends_at` are the dates of the trip now. If the organiser moved the departure after it was booked,
    `changed_at` and the five columns after it say what was changed. `previous_starts_at` and `previous_ends_at` are the
    dates that the traveller bought or accepted last.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(max_length=8, unique=True)
    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="booking")
    traveller_id = models.UUIDField()
    departure_id = models.UUIDField()
    status = models.CharField(max_length=10, choices=[(status.value, status.name.title()) for status in Status])
    reason = models.CharField(max_length=25, choices=[(reason.value, reason.value) for reason in Reason])
    sequence = models.BigIntegerField(default=0)
    seats = models.PositiveSmallIntegerField(help_text="Seats it takes, cancelled passengers not counted.")
    title_en = models.CharField(max_length=150)
    title_fr = models.CharField(max_length=150)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    time_zone = models.CharField(max_length=50)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    lines = models.JSONField()
    policy = models.JSONField()
    hold_expires_at = models.DateTimeField(null=True, blank=True)
    hold_extended = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True, blank=True)
    change_reason = models.TextField(blank=True, default="", db_default="", help_text="In the words of staff.")
    previous_starts_at = models.DateTimeField(null=True, blank=True)
    previous_ends_at = models.DateTimeField(null=True, blank=True)
    free_cancellation_until = models.DateTimeField(null=True, blank=True)
    change_accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("cancel_for_traveller", "Can cancel bookings for travellers"),
            ("give_money_back", "Can refund, retry refunds and write them off"),
        ]
        constraints = [
            models.CheckConstraint(name="booking_status", condition=Q(status__in=[status.value for status in Status])),
            models.CheckConstraint(
                name="booking_pending_has_a_hold",
                condition=Q(status="PENDING", hold_expires_at__isnull=False)
                | (~Q(status="PENDING") & Q(hold_expires_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="booking_change_is_whole",
                condition=Q(
                    changed_at__isnull=False,
                    previous_starts_at__isnull=False,
                    previous_ends_at__isnull=False,
                    free_cancellation_until__isnull=False,
                )
                | Q(
                    changed_at__isnull=True,
                    previous_starts_at__isnull=True,
                    previous_ends_at__isnull=True,
                    free_cancellation_until__isnull=True,
                    change_accepted_at__isnull=True,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["traveller_id", "-created_at", "-id"], name="booking_of_traveller"),
            models.Index(fields=["traveller_id", "starts_at", "id"], name="booking_by_start"),
            models.Index(fields=["hold_expires_at"], name="booking_holds", condition=Q(status="PENDING")),
            models.Index(fields=["departure_id", "status"], name="booking_of_departure"),
        ]

    def __str__(self) -> str:
        return self.reference


class Passenger(models.Model):
    """A passenger of a booking. `share_minor` is the price of their seat."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="passengers")
    position = models.PositiveSmallIntegerField()
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    kind = models.CharField(max_length=5, choices=[(kind.value, kind.name.title()) for kind in PassengerKind])
    date_of_birth = models.DateField(null=True, blank=True)
    share_minor = models.BigIntegerField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["booking", "position"], name="passenger_position")]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class BookingEvent(models.Model):
    """A history entry of a booking, and exactly one event on Kafka. It is never changed.

    `reason` is the reason of the booking's status. `note` is what staff typed: `staff_reason` in the code.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="events")
    sequence = models.BigIntegerField()
    type = models.CharField(max_length=40)
    status = models.CharField(max_length=10)
    reason = models.CharField(max_length=25)
    at = models.DateTimeField()
    actor = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True, blank=True)
    message_en = models.CharField(max_length=300)
    message_fr = models.CharField(max_length=300)
    note = models.CharField(max_length=300, blank=True, default="", db_default="", help_text="For staff alone.")

    class Meta:
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["booking", "sequence"], name="booking_event_once")]

    def __str__(self) -> str:
        return f"#{self.sequence} {self.type}"


class CancellationQuote(models.Model):
    """What cancelling `passengers` would refund. It can be confirmed once, until `expires_at`.

    It is outdated if the booking's status or seats change, if the departure is moved or the move is accepted, or if
    less is refundable than its refund plus its fee. `kept_minor` is the fee. `note` is the reason that staff typed:
    `staff_reason` in the code.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="cancellation_quotes")
    passengers = ArrayField(models.UUIDField())
    whole = models.BooleanField()
    booking_status = models.CharField(max_length=10)
    booking_seats = models.PositiveSmallIntegerField()
    booking_changed_at = models.DateTimeField(null=True, blank=True)
    booking_change_accepted_at = models.DateTimeField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    refund_minor = models.BigIntegerField()
    kept_minor = models.BigIntegerField()
    explanation = models.JSONField()
    staff_id = models.UUIDField(null=True, blank=True, help_text="Who of staff quoted it; null for the traveller.")
    note = models.CharField(max_length=300, blank=True, default="", db_default="", help_text="Staff's reason.")
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="cancellation_amounts", condition=Q(refund_minor__gte=0, kept_minor__gte=0)),
        ]
        indexes = [models.Index(fields=["expires_at"], name="cancellation_quote_by_expiry")]

    def __str__(self) -> str:
        return str(self.id)
