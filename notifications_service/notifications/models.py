"""Tables of notifications, and of the attempts to send them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications_service.billing.models import Invoice
from notifications_service.notifications.domain import Channel, Kind, Status
from shared.ids import uuid7


class Notification(models.Model):
    """A message to a person over one channel. It has only ids and amounts; sending it asks for the contact."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person_id = models.UUIDField()
    channel = models.CharField(max_length=8, choices=[(channel.value, channel.value) for channel in Channel])
    kind = models.CharField(max_length=32, choices=[(kind.value, kind.value.replace("_", " ")) for kind in Kind])
    event_id = models.CharField(max_length=255)
    booking_id = models.UUIDField(null=True, blank=True)
    booking_reference = models.CharField(max_length=16, blank=True)
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, blank=True, related_name="notifications")
    facts = models.JSONField(default=dict)
    request_id = models.CharField(max_length=128, blank=True)
    traceparent = models.CharField(max_length=64, blank=True, default="", db_default="")
    locale = models.CharField(max_length=2, default="EN")
    status = models.CharField(
        max_length=12, choices=[(status.value, status.value.lower()) for status in Status], default=Status.PENDING.value
    )
    attempts = models.PositiveIntegerField(default=0, help_text="The number of the current attempt.")
    failures = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Attempts that failed for a passing reason of the recipient's side."
    )
    not_after = models.DateTimeField(null=True, blank=True, help_text="It is not sent after this time.")
    next_attempt_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event_id", "kind", "channel"], name="told_once_per_event"),
            models.CheckConstraint(
                condition=Q(status="SENT", sent_at__isnull=False) | ~Q(status="SENT") & Q(sent_at__isnull=True),
                name="sent_at_with_sent",
            ),
            models.CheckConstraint(
                condition=Q(status="SENDING", leased_until__isnull=False) | ~Q(status="SENDING"),
                name="sending_has_lease",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["person_id", "-id"], name="notification_person"),
            models.Index(
                fields=["next_attempt_at"], condition=Q(status__in=("PENDING", "SENDING")), name="notification_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"


class PausedChannel(models.Model):
    """A channel that cannot be used because of us, for example a wrong password. Nothing is sent over it meanwhile.

    From `next_probe_at` on, a worker tries one notification. If that is accepted, the row goes and the channel drains.
    """

    channel = models.CharField(
        primary_key=True, max_length=8, choices=[(channel.value, channel.value) for channel in Channel]
    )
    cause = models.CharField(max_length=500)
    since = models.DateTimeField(db_default=Now())
    probes = models.PositiveIntegerField(default=0, db_default=0)
    next_probe_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.channel} since {self.since}"


class Undeliverable(models.Model):
    """A person's address or number that a provider refused for good. Nothing is sent to it any more.

    `digest` is of the person's id and the address, so the address itself is not stored. A new address has another one.
    """

    person_id = models.UUIDField()
    channel = models.CharField(max_length=8, choices=[(channel.value, channel.value) for channel in Channel])
    digest = models.CharField(max_length=64)
    cause = models.CharField(max_length=500)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person_id", "channel", "digest"], name="undeliverable_once"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of {self.person_id}"


class DeliveryAttempt(models.Model):
    """One attempt to send a notification, and how it ended. Without an end, it is under way or its worker was lost."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="deliveries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notification", "number"], name="attempt_number_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"
