"""Seats: one row per departure, which everybody who books it wants."""

from django.db import models
from django.db.models import F, Q


class SeatInventory(models.Model):
    """A departure's seats: of `capacity`, `held` wait for a payment and `sold` are paid. The three can never disagree.

    `version` is the departure's, so that news of it apply in their order; `sequence` grows with every change of the counters, and
    `dirty` says that the change was not told yet.
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
