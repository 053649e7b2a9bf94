"""Notifications for staff: what was sent, and why something was not. Only failed ones can be sent again."""

from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from notifications_service.notifications.content import subject_of
from notifications_service.notifications.domain import Kind
from notifications_service.notifications.models import DeliveryAttempt, Notification
from notifications_service.notifications.services import NotFailed, send_again
from shared.admin import ReadOnly
from shared.text import Locale


class DeliveryAttemptInline(ReadOnly, TabularInline):
    """The attempts to send a notification."""

    model = DeliveryAttempt
    extra = 0
    fields = ("number", "started_at", "ended_at", "outcome", "detail")


@admin.register(Notification)
class NotificationAdmin(ReadOnly, ModelAdmin):
    """Every notification with its attempts."""

    list_display = ("subject", "channel", "state", "booking_reference", "attempts", "created_at", "sent_at")
    list_filter = ("status", "channel", "kind", "created_at")
    search_fields = ("booking_reference__exact", "person_id__exact", "event_id__exact")
    search_help_text = "Booking reference, person or event id"
    date_hierarchy = "created_at"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    inlines: ClassVar = (DeliveryAttemptInline,)
    actions: ClassVar = ("send_again",)
    readonly_fields = ("subject",)
    fieldsets = (
        (None, {"fields": ("subject", "kind", "channel", "status", "cause")}),
        ("About", {"fields": ("person_id", "booking_reference", "booking_id", "invoice", "facts")}),
        ("When", {"fields": ("created_at", "sent_at", "attempts", "next_attempt_at", "leased_until")}),
        ("Trace", {"fields": ("id", "event_id", "request_id", "locale")}),
    )

    @display(description="subject")
    def subject(self, row: Notification) -> str:
        """Return the subject in the person's language."""
        return subject_of(Kind(row.kind), row.booking_reference, Locale(row.locale))

    @display(
        description="status",
        ordering="status",
        label={"SENT": "success", "FAILED": "danger", "PENDING": "info", "SENDING": "info", "SUPPRESSED": "warning"},
    )
    def state(self, row: Notification) -> str:
        """Return the status as a coloured label."""
        return row.status

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may send failed notifications again."""
        return request.user.has_perm("notifications.change_notification")

    @action(description="Send failed notifications again", permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        """Send the selected notifications again. Warn about each that did not fail."""
        count = 0
        for row_id in queryset.values_list("id", flat=True):
            try:
                send_again(notification_id=row_id)
                count += 1
            except NotFailed as error:
                messages.warning(request, str(error))
        if count:
            messages.success(request, f"{count} notifications will be sent again within seconds.")
