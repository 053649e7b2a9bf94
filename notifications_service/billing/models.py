"""Tables of billing. An issued document is written once. The constraints guarantee what accounting relies on."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from notifications_service.billing.domain import Kind
from shared.ids import uuid7


class NumberSeries(models.Model):
    """The counter of a kind and year. Its row stays locked until the invoice commits, so a rollback leaves no gap."""

    name = models.CharField(max_length=16, primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"


class Invoice(models.Model):
    """An invoice or a credit note. It has only ids and amounts; the person's name is in InvoiceRecipient."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=32, unique=True)
    kind = models.CharField(
        max_length=16, choices=[(kind.value, kind.value.replace("_", " ").title()) for kind in Kind]
    )
    person_id = models.UUIDField()
    booking_id = models.UUIDField()
    booking_reference = models.CharField(max_length=16)
    refund_id = models.UUIDField(null=True, blank=True)
    credits = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="credit_notes")
    title_en = models.CharField(max_length=255)
    title_fr = models.CharField(max_length=255)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    time_zone = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    issued_at = models.DateTimeField()
    issued_on = models.DateField(
        null=True, blank=True, help_text="The date in the seller's zone. Null in documents of older releases: UTC."
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(total_minor__gte=0), name="invoice_total_positive"),
            models.CheckConstraint(
                condition=Q(kind="INVOICE", refund_id__isnull=True, credits__isnull=True)
                | Q(kind="CREDIT_NOTE", refund_id__isnull=False, credits__isnull=False),
                name="credit_note_credits_an_invoice",
            ),
            models.UniqueConstraint(fields=["booking_id"], condition=Q(kind="INVOICE"), name="one_invoice_per_booking"),
            models.UniqueConstraint(fields=["refund_id"], name="one_credit_note_per_refund"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["person_id", "-id"], name="invoice_person"),
            models.Index(fields=["booking_id", "id"], name="invoice_booking"),
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceLine(models.Model):
    """An invoice line, in both languages, as issued."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    label_en = models.CharField(max_length=255)
    label_fr = models.CharField(max_length=255)
    quantity = models.PositiveIntegerField()
    unit_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position")]

    def __str__(self) -> str:
        return self.label_en


class InvoiceRecipient(models.Model):
    """The person a document is made out to. users_service names them when the document is first rendered."""

    invoice = models.OneToOneField(Invoice, models.PROTECT, primary_key=True, related_name="recipient")
    name = models.CharField(max_length=320)
    email = models.CharField(max_length=320)
    locale = models.CharField(max_length=2)
    noted_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"recipient of {self.invoice_id}"
