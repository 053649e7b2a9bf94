"""Notifications for staff: what was sent, and why something was not.

Staff can send failed notifications again, probe or resume a paused channel, and free an undeliverable address. Each of
these acts is recorded in the admin's log.
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from notifications_service.notifications import services
from notifications_service.notifications.content import subject_of
from notifications_service.notifications.domain import Channel, Kind
from notifications_service.notifications.models import DeliveryAttempt, Notification, PausedChannel, Undeliverable
from shared.admin import ReadOnly
from shared.errors import DomainError
from shared.text import Locale

_Row = TypeVar("_Row", bound=Model)


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
        (
            "When",
            {
                "fields": (
                    "created_at",
                    "not_after",
                    "sent_at",
                    "attempts",
                    "failures",
                    "next_attempt_at",
                    "leased_until",
                )
            },
        ),
        ("Trace", {"fields": ("id", "event_id", "request_id", "traceparent", "locale")}),
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
        rows = list(queryset)

        def act(row: Notification) -> None:
            services.send_again(notification_id=row.id)

        if count := _each(request, rows, act, flag=CHANGE, text="Sent again."):
            messages.success(request, f"{count} notifications will be sent again within seconds.")


@admin.register(PausedChannel)
class PausedChannelAdmin(ReadOnly, ModelAdmin):
    """The channels that cannot be used because of us. They resume by themselves once a probe is accepted."""

    list_display = ("channel", "cause", "since", "probes", "next_probe_at")
    actions: ClassVar = ("probe", "resume")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may decide about the channel."""
        return request.user.has_perm("notifications.change_pausedchannel")

    @action(description="Probe now, with the next notification", permissions=["decide"])
    def probe(self, request: HttpRequest, queryset: QuerySet[PausedChannel]) -> None:
        """Probe the selected channels within seconds."""

        def act(row: PausedChannel) -> None:
            services.probe_channel(Channel(row.channel))

        if count := _each(request, list(queryset), act, flag=CHANGE, text="Probed by hand."):
            messages.success(request, f"{count} channels will be probed within seconds.")

    @action(description="Resume without a probe", permissions=["decide"])
    def resume(self, request: HttpRequest, queryset: QuerySet[PausedChannel]) -> None:
        """Resume the selected channels. If the cause is not mended, the next message pauses the channel again."""

        def act(row: PausedChannel) -> None:
            services.resume_channel(Channel(row.channel))

        if count := _each(request, list(queryset), act, flag=DELETION, text="Resumed by hand."):
            messages.success(request, f"{count} channels resumed. What is due goes out within seconds.")


@admin.register(Undeliverable)
class UndeliverableAdmin(ReadOnly, ModelAdmin):
    """The addresses and numbers that a provider refused for good, without the addresses themselves."""

    list_display = ("person_id", "channel", "cause", "since")
    list_filter = ("channel", "since")
    search_fields = ("person_id__exact",)
    search_help_text = "Person id"
    fields = ("person_id", "channel", "cause", "since")
    actions: ClassVar = ("lift",)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may free an address."""
        return request.user.has_perm("notifications.change_undeliverable")

    @action(description="Send to these addresses again", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Undeliverable]) -> None:
        """Free the selected addresses. What was suppressed meanwhile stays so."""

        def act(row: Undeliverable) -> None:
            services.lift_undeliverable(undeliverable_id=row.id)

        if count := _each(request, list(queryset), act, flag=DELETION, text="Freed by hand."):
            messages.success(request, f"{count} addresses get messages again.")


def _each(request: HttpRequest, rows: list[_Row], act: Callable[[_Row], None], *, flag: int, text: str) -> int:
    """Act on each row and record who did it. Warn about each refusal. Return on how many rows it acted."""
    count = 0
    for row in rows:
        key, name = str(row.pk), str(row)
        try:
            with transaction.atomic():
                act(row)
                LogEntry.objects.create(
                    user_id=cast("int", request.user.pk),
                    content_type=ContentType.objects.get_for_model(type(row)),
                    object_id=key,
                    object_repr=name[:200],
                    action_flag=flag,
                    change_message=text,
                )
                count += 1
        except DomainError as refusal:
            messages.warning(request, f"{name}: {refusal}")
    return count
