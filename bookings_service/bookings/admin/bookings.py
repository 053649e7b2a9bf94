"""The admin of bookings for agents, support and finance: search, a page per booking, and the actions of staff."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from bookings_service.bookings.admin import action_pages, other_services
from bookings_service.bookings.admin.inlines import (
    EventInline,
    LedgerInline,
    PassengerInline,
    PaymentInline,
    RefundInline,
)
from bookings_service.bookings.models import Booking
from contracts.travel.notifications.v1 import notifications_pb2 as pb
from shared.admin import ReadOnly, table
from shared.errors import DomainError
from shared.money import Money
from shared.rpc.mapping import from_ts, money_from_proto
from shared.rpc.status import RpcFailed

# The upstream is unavailable, slow, refuses, or does not know the RPC. The page shows the rest.
UPSTREAM_FAILED = (DomainError, RpcFailed)


@admin.register(Booking)
class BookingAdmin(ReadOnly, ModelAdmin):
    """A read-only page per booking, with the actions of staff at its top."""

    list_display = ("reference", "shown_status", "title_en", "starts_at", "seats", "total", "created_at")
    list_filter = ("status", "reason")
    search_fields = ("reference", "passengers__first_name", "passengers__last_name", "traveller_id__iexact")
    search_help_text = "A reference, an email address, a passenger's name, or a traveller's id"
    date_hierarchy = "starts_at"
    show_full_result_count = False
    fields = (
        ("reference", "shown_status"),
        ("reason", "hold_expires_at"),
        ("title_en", "total"),
        ("starts_at", "ends_at", "time_zone"),
        "departure_change",
        ("seats", "created_at"),
        ("traveller_id", "departure_id"),
        "messages_and_documents",
    )
    compressed_fields = True
    readonly_fields = ("shown_status", "total", "departure_change", "messages_and_documents")
    inlines = (EventInline, PassengerInline, PaymentInline, RefundInline, LedgerInline)
    actions_detail: ClassVar = ["cancel", "refund", "failed_refund"]
    _labels: ClassVar[dict[str, str]] = {"PENDING": "warning", "CONFIRMED": "success", "CANCELLED": "danger"}

    def has_cancelling_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Return whether this member of staff may cancel for travellers."""
        return request.user.has_perm("bookings.cancel_for_traveller")

    def has_refunding_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Return whether this member of staff may refund."""
        return request.user.has_perm("bookings.give_money_back")

    @display(description="status", label=_labels, ordering="status")
    def shown_status(self, booking: Booking) -> str:
        """Return the status, shown in a colour."""
        return booking.status

    @admin.display(description="total")
    def total(self, booking: Booking) -> str:
        """Return the total with its currency."""
        return str(Money.from_minor(booking.total_minor, booking.currency))

    @admin.display(description="change of the departure")
    def departure_change(self, booking: Booking) -> str:
        """Return what the organiser changed after it was booked, and whether the traveller accepted it."""
        if booking.changed_at is None:
            return "The departure has the dates that the traveller bought or accepted."
        if booking.change_accepted_at:
            answer = f"Accepted at {booking.change_accepted_at:%Y-%m-%d %H:%M} UTC."
        else:
            answer = f"Not accepted. Free cancellation until {booking.free_cancellation_until:%Y-%m-%d %H:%M} UTC."
        return (
            f"Moved at {booking.changed_at:%Y-%m-%d %H:%M} UTC from {booking.previous_starts_at:%Y-%m-%d %H:%M} –"
            f" {booking.previous_ends_at:%Y-%m-%d %H:%M} UTC. {answer} {booking.change_reason}"
        )

    @admin.display(description="mails and documents")
    def messages_and_documents(self, booking: Booking) -> SafeString | str:
        """Return the mails and documents of the booking, as notifications_service knows them now."""
        try:
            answer = other_services.messages_of(booking_id=booking.id)
        except UPSTREAM_FAILED:
            return "notifications_service does not answer now."
        rows: list[tuple[object, ...]] = [
            (
                _at(message.created_at),
                pb.Channel.Name(message.channel)[8:],
                message.subject,
                pb.NotificationStatus.Name(message.status)[20:],
            )
            for message in answer.notifications
        ]
        rows += [
            (
                _at(invoice.issued_at),
                pb.InvoiceKind.Name(invoice.kind)[13:].replace("_", " "),
                invoice.number,
                money_from_proto(invoice.total),
            )
            for invoice in answer.invoices
        ]
        return table(
            ("at (UTC)", "what", "about", "state"), sorted(rows, key=lambda row: str(row[0])), empty="Nothing yet."
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        """Find by a complete email address through users_service, and by anything else as Django does."""
        if "@" not in search_term:
            return super().get_search_results(
                request, queryset, search_term.upper() if len(search_term) == 8 else search_term
            )
        try:
            traveller_id = other_services.traveller_id_of(email=search_term)
        except UPSTREAM_FAILED:
            messages.warning(request, "users_service does not answer now: search by reference or passenger.")
            return queryset.none(), False
        return (queryset.filter(traveller_id=traveller_id) if traveller_id else queryset.none()), False

    @action(
        description="Cancel…", url_path="cancel", permissions=["cancelling"], icon="event_busy",
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel the whole booking or some passengers, after showing the refund."""
        return action_pages.cancel(self, request, UUID(object_id))

    @action(description="Refund…", url_path="refund", permissions=["refunding"], icon="undo")
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refund without cancelling anything."""
        return action_pages.refund(self, request, UUID(object_id))

    @action(description="Failed refund…", url_path="failed-refund", permissions=["refunding"], icon="report")
    def failed_refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Retry a failed refund, or write it off."""
        return action_pages.failed_refund(self, request, UUID(object_id))


def _at(stamp: Any) -> str:
    instant = from_ts(stamp)
    return f"{instant:%Y-%m-%d %H:%M}" if instant else ""
