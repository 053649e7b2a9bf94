"""The tables of a booking's page, oldest row first."""

from typing import Any, Final

from django.contrib import admin
from unfold.admin import TabularInline

from bookings_service.bookings.models import BookingEvent, Passenger
from bookings_service.payments.models import LedgerEntry, Payment, Refund
from shared.admin import ReadOnly
from shared.money import Money

MOVEMENTS: Final = {
    LedgerEntry.Kind.CAPTURE.value: "Payment captured",
    LedgerEntry.Kind.REFUND.value: "Refund paid out",
    LedgerEntry.Kind.FEE.value: "Fee of a cancellation",
    LedgerEntry.Kind.WRITE_OFF.value: "Refund written off",
}


class BookingInline(ReadOnly, TabularInline):
    """A read-only table on a booking's page."""

    extra = 0
    tab = True
    hide_title = True

    def amount(self, row: Any) -> str:
        """Return the amount with its currency."""
        return str(Money.from_minor(row.amount_minor, row.currency))


class PassengerInline(BookingInline):
    """The passengers, cancelled ones too."""

    model = Passenger
    fields = ("first_name", "last_name", "kind", "date_of_birth", "cancelled_at")
    readonly_fields = fields


class EventInline(BookingInline):
    """The history entries, with the reasons that staff gave."""

    model = BookingEvent
    tab = False
    verbose_name_plural = "timeline"
    fields = ("sequence", "at", "type", "status", "reason", "actor", "message_en", "note")
    readonly_fields = fields


class PaymentInline(BookingInline):
    """The payments, failed ones too."""

    model = Payment
    fields = ("created_at", "amount", "status", "provider", "failure_code")
    readonly_fields = fields


class RefundInline(BookingInline):
    """The refunds."""

    model = Refund
    fields = ("created_at", "amount", "status", "reason", "attempts", "note", "written_off_at")
    readonly_fields = fields


class LedgerInline(BookingInline):
    """The ledger entries of the booking."""

    model = LedgerEntry
    fields = ("at", "account", "movement_kind", "amount")
    readonly_fields = fields

    @admin.display(description="movement")
    def movement_kind(self, row: LedgerEntry) -> str:
        """Return the kind of movement in plain words."""
        return MOVEMENTS[row.kind]
