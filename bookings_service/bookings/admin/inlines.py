"""The tables of a booking's page, oldest row first."""

from bookings_service.bookings.admin.tables import BookingInline
from bookings_service.bookings.models import BookingEvent, Passenger
from bookings_service.payments.models import LedgerEntry, Payment, Refund


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
    fields = ("at", "account", "kind", "amount")
    readonly_fields = fields
