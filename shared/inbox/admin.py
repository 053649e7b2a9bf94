"""Dead letters in every service's admin: read the cause, then retry or discard."""

from collections.abc import Callable
from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from shared.inbox import resolving
from shared.inbox.models import DeadLetter


@admin.register(DeadLetter)
class DeadLetterAdmin(ModelAdmin):
    """Read-only except for the two actions, because a message is evidence."""

    list_display: ClassVar = (
        "event_type",
        "key",
        "state",
        "cause_start",
        "attempts",
        "created_at",
    )
    list_filter: ClassVar = ("status", "fault", "consumer", "topic")
    search_fields: ClassVar = ("key", "event_id", "event_type")
    ordering: ClassVar = ("-id",)
    actions: ClassVar = ("retry", "discard")
    exclude: ClassVar = ("value", "headers")
    readonly_fields: ClassVar = ("value_text",)

    @display(
        description="status",
        ordering="status",
        label={"DEAD": "danger", "PARKED": "warning", "RETRYING": "info"},
    )
    def state(self, letter: DeadLetter) -> str:
        """Return the status as a coloured label."""
        return letter.status

    @display(description="cause")
    def cause_start(self, letter: DeadLetter) -> str:
        """Return the beginning of the cause."""
        return letter.cause[:120]

    @display(description="value")
    def value_text(self, letter: DeadLetter) -> str:
        """Return the beginning of the message. It contains ids and amounts, never personal data."""
        return bytes(letter.value or b"")[:4000].decode("utf-8", "backslashreplace")

    @action(description="Retry, then the events parked behind it", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        """Ask the consumer to retry the selected dead letters."""
        self._each(request, queryset, resolving.retry, "will be tried again")

    @action(description="Discard; the events parked behind it take effect", permissions=["change"])
    def discard(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        """Discard the selected dead letters."""
        self._each(request, queryset, resolving.discard, "discarded")

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[DeadLetter],
        act: Callable[..., None],
        done: str,
    ) -> None:
        changed = 0
        for letter_id in queryset.order_by("id").values_list("id", flat=True):
            try:
                act(dead_letter_id=letter_id, by=str(request.user))
                changed += 1
            except resolving.DeadLetterResolved as error:
                messages.warning(request, f"{letter_id}: {error}")
        if changed:
            messages.success(request, f"{changed} {done}.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only consumers write dead letters."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        """The consumer deletes resolved dead letters after a month."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        """The list's actions need this permission. The form shows every field read-only."""
        return bool(super().has_change_permission(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: DeadLetter | None = None) -> list[str]:
        """Return every field, because a message is evidence."""
        fields = [field.name for field in DeadLetter._meta.fields if field.name not in self.exclude]
        return [*fields, "value_text"]
