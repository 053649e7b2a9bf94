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
    """An event that could not be handled, or that waits: behind another event of its key, or for its type's brake.

    A topic that was deleted and made again counts its offsets from 0, so the event's id is part of the identity.
    """

    class Status(models.TextChoices):
        DEAD = "DEAD", "dead: somebody must look"
        PARKED = "PARKED", "parked behind an earlier one"
        BRAKED = "BRAKED", "waits until its type is handled again"
        RETRYING = "RETRYING", "to be tried again"
        RETRIED = "RETRIED", "took effect after all"
        DISCARDED = "DISCARDED", "discarded"

    class Fault(models.TextChoices):
        MESSAGE = "MESSAGE", "the message"
        HANDLER = "HANDLER", "its handling"
        RELEASE = "RELEASE", "this release, which is too old for it"
        NONE = "", "none"

    OPEN: ClassVar = (Status.DEAD, Status.PARKED, Status.BRAKED, Status.RETRYING)

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
                fields=["consumer", "topic", "partition", "offset", "event_id"],
                name="dead_letter_once_per_event",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["consumer", "topic", "key", "id"],
                condition=models.Q(status__in=("DEAD", "PARKED", "BRAKED", "RETRYING")),
                name="dead_letter_unresolved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.partition}/{self.offset}"


class DeadLetterAction(models.Model):
    """What staff did with a dead letter, who did it, and why. A trigger refuses to change it.

    It goes with its letter, at the earliest seven days after that was settled, and the trigger refuses to delete it
    before. It holds a name and a free text about a traveller's event, so it is not kept for longer than the event.
    """

    class Kind(models.TextChoices):
        RETRY = "RETRY", "retry"
        DISCARD = "DISCARD", "discard"

    letter = models.ForeignKey(DeadLetter, models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=8, choices=Kind)
    by = models.CharField(max_length=255)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} by {self.by}"


class SkippedType(models.Model):
    """An event type that this consumer does not know, and how many of its events were skipped.

    A newer release that handles the type gets these events with `replay_events`, because they have no inbox row.
    """

    consumer = models.CharField(max_length=64)
    topic = models.CharField(max_length=255)
    event_type = models.CharField(max_length=255)
    count = models.PositiveBigIntegerField(default=0, db_default=0)
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consumer", "topic", "event_type"], name="skipped_type_once"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type}: {self.count}"


class BrakedType(models.Model):
    """An event type whose handler failed for too large a share of the keys. Its events wait as BRAKED dead letters.

    From `next_probe_at` on, the consumer tries one of them. If it takes effect, the row goes and all of them follow.
    """

    consumer = models.CharField(max_length=64)
    event_type = models.CharField(max_length=255)
    cause = models.CharField(max_length=500)
    since = models.DateTimeField(db_default=Now())
    probes = models.PositiveIntegerField(default=0, db_default=0)
    next_probe_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consumer", "event_type"], name="braked_type_once"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} since {self.since}"
