"""The table of the outbox."""

from django.db import models

from shared.ids import uuid7


class OutboxEvent(models.Model):
    """An event on its way to Kafka.

    `id` is the order of sending. `delivered_at` is set when the broker has confirmed it.

    An event that Kafka can never take is set aside: `set_aside_at` and `cause` say since when and why. The later
    events of its key wait until staff retry it or discard it. A discarded event has both times, and is never sent.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    type = models.CharField(max_length=100)
    topic = models.CharField(max_length=100)
    key = models.CharField(max_length=64, help_text="The aggregate's id; events of one key keep their order.")
    sequence = models.BigIntegerField()
    value = models.TextField(help_text="The message as JSON.")
    traceparent = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    set_aside_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="outbox_undelivered", condition=models.Q(delivered_at__isnull=True)),
            models.Index(
                fields=["delivered_at"], name="outbox_delivered", condition=models.Q(delivered_at__isnull=False)
            ),
            models.Index(
                fields=["topic", "key", "id"],
                name="outbox_set_aside",
                condition=models.Q(delivered_at__isnull=True, set_aside_at__isnull=False),
            ),
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.type} {self.key} #{self.sequence}"
