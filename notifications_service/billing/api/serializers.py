"""Invoices and credit notes over REST."""

from typing import Any

from rest_framework import serializers

from notifications_service.billing.contracts import InvoiceHeader
from notifications_service.billing.domain import Kind
from notifications_service.billing.links import pdf_url
from shared.http.serializers import MoneySerializer


class InvoiceSerializer(serializers.Serializer[Any]):
    """An invoice or credit note as issued. `pdf_url` works for fifteen minutes, for everybody who knows it."""

    id = serializers.UUIDField(read_only=True)
    number = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind], read_only=True)
    booking_id = serializers.UUIDField(read_only=True)
    booking_reference = serializers.CharField(read_only=True)
    total = MoneySerializer(read_only=True)
    issued_at = serializers.DateTimeField(read_only=True)
    pdf_url = serializers.SerializerMethodField()

    def get_pdf_url(self, invoice: InvoiceHeader) -> str:
        """Return a new link."""
        return pdf_url(invoice.id)
