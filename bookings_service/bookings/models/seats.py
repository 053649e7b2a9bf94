"""Seats: one row per departure, locked by everybody who books it."""

from django.db import models
from django.db.models import F, Q


class SeatInventory(models.Model):
    """A departure's seats: `held` and `sold` seats of `capacity` are taken.

    Constraints keep the sum within the capacity.

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
    sequence = models.BigIntegerField(default=1)
    dirty = models.BooleanField(default=True)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "seat inventories"
        constraints = [
            models.CheckConstraint(name="seats_never_negative", condition=Q(held__gte=0, sold__gte=0, capacity__gte=0)),
            models.CheckConstraint(name="seats_never_oversold", condition=Q(capacity__gte=F("held") + F("sold"))),
        ]
        indexes = [models.Index(fields=["published_at"], name="seats_dirty", condition=Q(dirty=True))]

    def __str__(self) -> str:
        return str(self.departure_id)

    @property
    def free_seats(self) -> int:
        """Capacity − held − sold. A closed departure may have free seats, but nobody can hold them."""
        return self.capacity - self.held - self.sold
