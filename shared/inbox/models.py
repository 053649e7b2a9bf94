"""Tables of the inbox. A row in InboxMessage is the proof that an event took effect: it commits with the effect."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class InboxMessage(models.Model):
    """An event that took effect once; a second delivery finds this row and does nothing."""

    consumer = models.CharField(max_length=64)
    event_id = models.CharField(max_length=255)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["consumer", "event_id"], name="inbox_once")]
        indexes: ClassVar = [models.Index(fields=["received_at"], name="inbox_received_at")]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"


class DeadLetter(models.Model):
    """An event that could not be handled, or one of the same key that waits behind it."""

    class Status(models.TextChoices):
        DEAD = "DEAD", "dead: somebody must look"
        PARKED = "PARKED", "parked behind an earlier one"
        RETRYING = "RETRYING", "to be tried again"
        RETRIED = "RETRIED", "took effect after all"
        DISCARDED = "DISCARDED", "discarded"

    class Fault(models.TextChoices):
        MESSAGE = "MESSAGE", "the message"
        HANDLER = "HANDLER", "its handling"
        NONE = "", "none"

    OPEN: ClassVar = (Status.DEAD, Status.PARKED, Status.RETRYING)

    consumer = models.CharField(max_length=64)
    topic = models.CharField(max_length=255)
    partition = models.IntegerField()
    offset = models.BigIntegerField()
    key = models.CharField(max_length=255, blank=True)
    event_id = models.CharField(max_length=255, blank=True)
    event_type = models.CharField(max_length=255, blank=True)
    headers = models.JSONField(default=list)
    value = models.BinaryField(null=True)
    status = models.CharField(max_length=16, choices=Status)
    fault = models.CharField(max_length=16, choices=Fault, blank=True)
    cause = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    resolved_by = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["consumer", "topic", "partition", "offset"],
                name="dead_letter_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["consumer", "topic", "key", "id"],
                condition=models.Q(status__in=("DEAD", "PARKED", "RETRYING")),
                name="dead_letter_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.partition}/{self.offset}"
