"""The waiting lists of full departures."""

from django.db import models
from django.db.models import Q

from bookings_service.bookings.domain.booking import MOST_PASSENGERS
from bookings_service.bookings.domain.waitlist import LIVE_ENTRY, WaitlistStatus
from shared.ids import uuid7


class WaitlistEntry(models.Model):
    """A party that waits for `seats` on a departure. Seats are offered in the order of `joined_at`.

    An entry that needs more seats than are free is passed over, and keeps its place.

    While the entry is OFFERED, SeatInventory holds its seats. `sequence` grows with every change of the status. Title,
    start and time zone are kept for mails as they were when the party joined.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    traveller_id = models.UUIDField()
    departure_id = models.UUIDField()
    seats = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=8, choices=[(status.value, status.name.title()) for status in WaitlistStatus])
    title_en = models.CharField(max_length=150)
    title_fr = models.CharField(max_length=150)
    starts_at = models.DateTimeField()
    time_zone = models.CharField(max_length=50)
    sequence = models.BigIntegerField(default=0)
    joined_at = models.DateTimeField(help_text="The place in the line; a group that grows goes to its end.")
    offered_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["joined_at", "id"]
        verbose_name_plural = "waitlist entries"
        constraints = [
            models.UniqueConstraint(
                fields=["traveller_id", "departure_id"], name="waitlist_one_live",
                condition=Q(status__in=[status.value for status in LIVE_ENTRY]),
            ),
            models.CheckConstraint(
                name="waitlist_status", condition=Q(status__in=[status.value for status in WaitlistStatus])
            ),
            models.CheckConstraint(name="waitlist_seats", condition=Q(seats__gte=1, seats__lte=MOST_PASSENGERS)),
            models.CheckConstraint(
                name="waitlist_offer_has_an_end",
                condition=Q(status="OFFERED", offered_until__isnull=False)
                | (~Q(status="OFFERED") & Q(offered_until__isnull=True)),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["departure_id", "joined_at", "id"], name="waitlist_line", condition=Q(status="WAITING")
            ),
            models.Index(fields=["offered_until"], name="waitlist_offers", condition=Q(status="OFFERED")),
            models.Index(fields=["traveller_id", "-created_at"], name="waitlist_of_traveller"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.id}"
