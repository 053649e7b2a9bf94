"""Seats: one row per departure, locked by everybody who books it."""

from django.db import models
from django.db.models import F, Q


class SeatInventory(models.Model):
    """A departure's seats: `held` and `sold` seats of `capacity` are taken.

    Constraints keep the sum within the capacity.

    `starts_at` and `ends_at` are the departure's dates now. `moved` means that some live bookings may still have
    earlier dates: the clock moves them, and then clears the mark. A row that was stored before `ends_at` was kept has
    none.

    `version` is the departure's version in destinations_service: older snapshots are ignored. `sequence` grows with
    every change of the counters. `dirty` means that the last change is not published yet.
    """

    departure_id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField()
    capacity = models.IntegerField()
    held = models.IntegerField(default=0)
    sold = models.IntegerField(default=0)
    closed = models.BooleanField(default=False)
    cancelled = models.BooleanField(default=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    rescheduled_at = models.DateTimeField(null=True, blank=True, help_text="When its dates were last changed.")
    change_reason = models.TextField(
        blank=True, default="", db_default="", help_text="Why they were changed, in the words of staff."
    )
    moved = models.BooleanField(
        default=False, db_default=False, help_text="Live bookings may still have its earlier dates."
    )
    sequence = models.BigIntegerField(default=1)
    dirty = models.BooleanField(default=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "seat inventories"
        constraints = [
            models.CheckConstraint(name="seats_never_negative", condition=Q(held__gte=0, sold__gte=0, capacity__gte=0)),
            models.CheckConstraint(name="seats_never_oversold", condition=Q(capacity__gte=F("held") + F("sold"))),
        ]
        indexes = [
            models.Index(fields=["published_at"], name="seats_dirty", condition=Q(dirty=True)),
            models.Index(fields=["departure_id"], name="seats_moved", condition=Q(moved=True, cancelled=False)),
        ]

    def __str__(self) -> str:
        return str(self.departure_id)

    @property
    def free_seats(self) -> int:
        """Capacity − held − sold. A closed departure may have free seats, but nobody can hold them."""
        return self.capacity - self.held - self.sold
