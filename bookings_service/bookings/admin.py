"""Bookings for agents and finance: a page tells a booking's story; nothing that the rules own can be typed over."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from bookings_service.bookings.models import Booking, BookingEvent, Passenger, SeatInventory
from bookings_service.payments.models import LedgerEntry, Payment, Refund
from shared.money import Money


class ReadOnly:
    """Looked at, never changed."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StoryInline(ReadOnly, TabularInline):
    """A table of a booking's page."""

    extra = 0
    tab = True
    hide_title = True

    def amount(self, row: Any) -> str:
        """Return the amount with its currency."""
        return str(Money.from_minor(row.amount_minor, row.currency))


class PassengerInline(StoryInline):
    """Who travels."""

    model = Passenger
    fields = ("first_name", "last_name", "kind", "date_of_birth", "cancelled_at")
    readonly_fields = fields


class EventInline(StoryInline):
    """What happened, oldest first."""

    model = BookingEvent
    tab = False
    verbose_name_plural = "timeline"
    fields = ("sequence", "at", "type", "status", "reason", "actor", "message_en")
    readonly_fields = fields


class PaymentInline(StoryInline):
    """Attempts to pay."""

    model = Payment
    fields = ("created_at", "amount", "status", "provider", "failure_code")
    readonly_fields = fields


class RefundInline(StoryInline):
    """Money on its way back."""

    model = Refund
    fields = ("created_at", "amount", "status", "reason", "attempts")
    readonly_fields = fields


class LedgerInline(StoryInline):
    """The ledger's entries."""

    model = LedgerEntry
    fields = ("at", "account", "kind", "amount")
    readonly_fields = fields


@admin.register(Booking)
class BookingAdmin(ReadOnly, ModelAdmin):
    """Bookings by reference, passenger or traveller."""

    list_display = ("reference", "shown_status", "title_en", "starts_at", "seats", "total", "created_at")
    list_filter = ("status", "reason")
    search_fields = ("reference", "passengers__first_name", "passengers__last_name", "traveller_id__iexact")
    search_help_text = "A reference, a passenger's name, or a traveller's id"
    date_hierarchy = "starts_at"
    show_full_result_count = False
    fields = (
        ("reference", "shown_status"),
        ("reason", "hold_expires_at"),
        ("title_en", "total"),
        ("starts_at", "time_zone"),
        ("seats", "created_at"),
        ("traveller_id", "departure_id"),
    )
    compressed_fields = True
    readonly_fields = ("shown_status", "total")
    inlines = (EventInline, PassengerInline, PaymentInline, RefundInline, LedgerInline)
    _labels: ClassVar[dict[str, str]] = {"PENDING": "warning", "CONFIRMED": "success", "CANCELLED": "danger"}

    @display(description="status", label=_labels, ordering="status")
    def shown_status(self, booking: Booking) -> str:
        """Return the status, coloured."""
        return booking.status

    @admin.display(description="total")
    def total(self, booking: Booking) -> str:
        """Return the total with its currency."""
        return str(Money.from_minor(booking.total_minor, booking.currency))


@admin.register(SeatInventory)
class SeatInventoryAdmin(ReadOnly, ModelAdmin):
    """Seats of each departure."""

    list_display = ("departure_id", "starts_at", "capacity", "held", "sold", "free", "closed")
    list_filter = ("closed", "cancelled")
    search_fields = ("departure_id__iexact",)
    ordering = ("starts_at",)
    show_full_result_count = False

    @admin.display(description="free")
    def free(self, row: SeatInventory) -> SafeString:
        """Return how many can be held now."""
        left = row.capacity - row.held - row.sold
        return format_html("<strong>{}</strong>", left) if left <= 3 else format_html("{}", left)
