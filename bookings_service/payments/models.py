"""Payments, refunds, the ledger, and every webhook that was received."""

from django.db import models
from django.db.models import F, Q

from bookings_service.payments.domain import LIVE, PaymentStatus, RefundStatus
from shared.ids import uuid7


class Payment(models.Model):
    """One attempt to pay a booking.

    The provider knows it by its id; `method` is the provider's token and never shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="payments")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    refunded_minor = models.BigIntegerField(default=0, help_text="Of all its refunds, those under way too.")
    status = models.CharField(max_length=20, choices=[(status.value, status.value) for status in PaymentStatus])
    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=100)
    idempotency_key = models.CharField(max_length=255)
    failure_code = models.CharField(max_length=60, blank=True)
    redirect_url = models.CharField(max_length=500, blank=True)
    client_secret = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(help_text="When the provider was last asked about it.")
    created_at = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="", help_text="Of its first cause.")
    traceparent = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["booking"], name="payment_one_live", condition=Q(status__in=[status.value for status in LIVE])
            ),
            models.CheckConstraint(name="payment_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="payment_never_refunds_more",
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("amount_minor")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                name="payment_to_reconcile",
                condition=Q(status__in=[status.value for status in LIVE]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.id}"


class Refund(models.Model):
    """A refund of one payment. The provider knows it by its id.

    `reason` says which rule or action made it. `note` is what staff typed: `staff_reason` in the code.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12, choices=[(status.value, status.value) for status in RefundStatus])
    reason = models.CharField(max_length=40)
    attempts = models.PositiveSmallIntegerField(default=0)
    staff_id = models.UUIDField(null=True, blank=True, help_text="Who of staff gave it; null where a rule did.")
    note = models.CharField(max_length=300, blank=True, default="", db_default="", help_text="For staff alone.")
    written_off_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(help_text="When the provider is asked (again).")
    created_at = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True, default="", db_default="", help_text="Of its first cause.")
    traceparent = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(name="refund_positive", condition=Q(amount_minor__gt=0))]
        indexes = [
            models.Index(fields=["due_at"], name="refund_due", condition=Q(status__in=["CREATED", "PROCESSING"])),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.id}"


class LedgerEntry(models.Model):
    """One side of a movement of money. Triggers ensure that the sides sum to zero and that no entry ever changes.

    After a capture the provider holds more (PROVIDER +), and we owe the traveller more, which is a negative entry
    (TRAVELLER −). A refund undoes it. A fee and a write-off reduce what we owe (TRAVELLER +), against FEES or
    WRITE_OFFS (−).
    """

    class Account(models.TextChoices):
        """The accounts of the ledger."""

        PROVIDER = "PROVIDER", "With the payment provider"
        TRAVELLER = "TRAVELLER", "Owed to the traveller"
        FEES = "FEES", "Kept as cancellation fees"
        WRITE_OFFS = "WRITE_OFFS", "Written off"

    class Kind(models.TextChoices):
        """The kinds of movement."""

        CAPTURE = "CAPTURE", "Payment captured"
        REFUND = "REFUND", "Refund paid out"
        FEE = "FEE", "Kept of a cancellation"
        WRITE_OFF = "WRITE_OFF", "Owed and never paid out"

    id = models.BigAutoField(primary_key=True)
    movement = models.UUIDField(help_text="The payment, refund or cancellation it records.")
    booking = models.ForeignKey("bookings.Booking", on_delete=models.PROTECT, related_name="ledger")
    account = models.CharField(max_length=10, choices=Account.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "ledger entries"
        constraints = [models.UniqueConstraint(fields=["movement", "account"], name="ledger_each_side_once")]
        indexes = [models.Index(fields=["booking", "account", "kind"], name="ledger_of_booking")]

    def __str__(self) -> str:
        return f"{self.account} {self.amount_minor} {self.currency}"


class Webhook(models.Model):
    """A webhook with a valid signature.

    The id of its event makes a repeat harmless. Its outcome says what it changed. UNKNOWN has two cases: the payment is
    unknown to us, or the event reports no result of a payment. In the admin both show as "Of no payment of ours".
    """

    class Outcome(models.TextChoices):
        """What a webhook changed."""

        APPLIED = "APPLIED", "Applied"
        NOTHING_NEW = "NOTHING_NEW", "Nothing new"
        UNKNOWN = "UNKNOWN", "Of no payment of ours"
        CONTRADICTS = "CONTRADICTS", "Contradicts what is recorded: for finance"

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=100)
    type = models.CharField(max_length=60)
    payment_key = models.CharField(max_length=64, blank=True)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="webhook_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"
