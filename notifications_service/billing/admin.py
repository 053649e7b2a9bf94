"""Invoices and credit notes for finance, each with its PDF. Nobody can edit or delete them."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from notifications_service.billing.formatting import amount
from notifications_service.billing.links import pdf_url
from notifications_service.billing.models import Invoice, InvoiceLine
from shared.admin import ReadOnly
from shared.money import Money
from shared.text import Locale


class InvoiceLineInline(ReadOnly, TabularInline):
    """The lines of a document."""

    model = InvoiceLine
    extra = 0
    fields = ("position", "label_en", "quantity", "unit_minor", "total_minor", "tax_minor")


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly, ModelAdmin):
    """Every issued document."""

    list_display = ("number", "kind_label", "booking_reference", "title_en", "total", "issued_at", "pdf")
    list_filter = ("kind", "currency", "issued_at")
    search_fields = ("number", "booking_reference", "person_id__exact")
    date_hierarchy = "issued_at"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    inlines: ClassVar = (InvoiceLineInline,)
    readonly_fields = ("total", "pdf")
    fieldsets = (
        (None, {"fields": ("number", "kind", "total", "issued_at", "pdf", "credits")}),
        ("Booking", {"fields": ("booking_reference", "booking_id", "refund_id", "person_id")}),
        ("Trip", {"fields": ("title_en", "title_fr", "starts_at", "ends_at", "time_zone")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        """Return the documents, each with the invoice that it credits."""
        return super().get_queryset(request).select_related("credits")

    @display(description="kind", ordering="kind", label={"INVOICE": "success", "CREDIT NOTE": "warning"})
    def kind_label(self, invoice: Invoice) -> str:
        """Return the kind as a coloured label."""
        return invoice.kind.replace("_", " ")

    @display(description="total", ordering="total_minor")
    def total(self, invoice: Invoice) -> str:
        """Return the total with its currency."""
        return amount(Money.from_minor(invoice.total_minor, invoice.currency), Locale.EN)

    @display(description="PDF")
    def pdf(self, invoice: Invoice) -> SafeString:
        """Return a short-lived link to the document."""
        return format_html('<a href="{}" target="_blank" rel="noopener">open</a>', pdf_url(invoice.id))
