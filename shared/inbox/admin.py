"""Dead letters in every service's admin: read what failed and why, then retry or discard it."""

from collections.abc import Callable
from typing import ClassVar

from django.contrib import admin
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from shared.admin import ReadOnly, table
from shared.inbox import resolving, settle_pages, shown
from shared.inbox.models import BrakedType, DeadLetter, DeadLetterAction, SkippedType

_LISTED_BEHIND = 50
_Page = Callable[[ModelAdmin, HttpRequest, list[int]], HttpResponse | None]


class _ForReadersOfLetters(ReadOnly):
    """Read-only, for everybody who may read dead letters."""

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return whether the user may read dead letters."""
        return request.user.has_perm("inbox.view_deadletter")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may read dead letters."""
        return request.user.has_perm("inbox.view_deadletter")


class DeadLetterActionInline(_ForReadersOfLetters, TabularInline):
    """What staff did with the letter."""

    model = DeadLetterAction
    extra = 0
    fields = ("at", "kind", "by", "reason")
    readonly_fields = fields
    verbose_name_plural = "Actions of staff"


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnly, ModelAdmin):
    """Read-only except for retry and discard, because a message is evidence."""

    list_display: ClassVar = ("event", "short_key", "state", "waiting_behind", "cause_start", "attempts", "created_at")
    list_filter: ClassVar = ("status", "fault", "event_type", "consumer", "topic", "created_at")
    search_fields: ClassVar = ("key__exact", "event_id__exact", "event_type")
    search_help_text = "A key, an event's id, or a part of its type"
    ordering: ClassVar = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    actions: ClassVar = ("retry_selected", "discard_selected")
    actions_detail: ClassVar = ["retry", "discard"]
    inlines: ClassVar = (DeadLetterActionInline,)
    fieldsets: ClassVar = (
        (None, {"fields": ("state", "meaning", "cause_text", "attempts", "fault")}),
        ("Event", {"fields": ("event_type", "event_id", "key", "place", "consumer", "created_at", "changed_at")}),
        ("Trace", {"fields": ("trace_id", "request_id")}),
        ("Waiting behind it", {"fields": ("behind",)}),
        ("Payload", {"fields": ("payload", "raw_payload")}),
        ("Headers", {"fields": ("header_table",)}),
    )
    readonly_fields: ClassVar = (
        *("state", "meaning", "cause_text", "place", "trace_id", "request_id", "behind"),
        *("payload", "raw_payload", "header_table"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Return the letters, each with the number of open letters behind it."""
        later = DeadLetter.objects.filter(
            consumer=OuterRef("consumer"), topic=OuterRef("topic"), key=OuterRef("key"), id__gt=OuterRef("id"),
            status__in=DeadLetter.OPEN,
        ).exclude(key="").order_by()  # fmt: skip
        counted = later.annotate(group=F("key")).values("group").annotate(count=Count("id")).values("count")
        rows: QuerySet[DeadLetter] = super().get_queryset(request)
        return rows.annotate(waiting=Coalesce(Subquery(counted), 0))

    def has_settle_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Return whether the user may retry and discard."""
        return request.user.has_perm("inbox.change_deadletter")

    # ------------------------------------------------------------------ columns

    @display(description="event", ordering="event_type")
    def event(self, letter: DeadLetter) -> str:
        """Return the type, or that there is none."""
        return letter.event_type or "(no type)"

    @display(description="key", ordering="key")
    def short_key(self, letter: DeadLetter) -> str:
        """Return the key, shortened if it is no UUID."""
        return letter.key if len(letter.key) <= 36 else f"{letter.key[:35]}…"

    @display(
        description="status",
        ordering="status",
        label={
            "DEAD": "danger", "PARKED": "warning", "BRAKED": "warning", "RETRYING": "info", "RETRIED": "success",
        },
    )  # fmt: skip
    def state(self, letter: DeadLetter) -> str:
        """Return the status as a coloured label."""
        return letter.status

    @display(description="behind it", ordering="waiting")
    def waiting_behind(self, letter: DeadLetter) -> str:
        """Return how many open letters of the key wait behind an open one."""
        waiting = vars(letter)["waiting"] if letter.status in DeadLetter.OPEN else 0
        return str(waiting) if waiting else "–"

    @display(description="cause")
    def cause_start(self, letter: DeadLetter) -> str:
        """Return the beginning of the cause."""
        return shown.first_line(letter.cause)

    # ------------------------------------------------------------------ page

    @display(description="what this means")
    def meaning(self, letter: DeadLetter) -> str:
        """Return what the status means for this event."""
        return shown.MEANING[DeadLetter.Status(letter.status)]

    @display(description="cause")
    def cause_text(self, letter: DeadLetter) -> str:
        """Return the whole cause."""
        return letter.cause or "none"

    @display(description="topic, partition and offset")
    def place(self, letter: DeadLetter) -> str:
        """Return where the record is in Kafka."""
        return f"{letter.topic}, partition {letter.partition}, offset {letter.offset}"

    @display(description="trace id")
    def trace_id(self, letter: DeadLetter) -> str:
        """Return the trace id."""
        return shown.trace_id(letter) or "none"

    @display(description="request id")
    def request_id(self, letter: DeadLetter) -> str:
        """Return the request id, for which the logs can be searched."""
        return shown.request_id(letter) or "none"

    @display(description="open letters of the same key")
    def behind(self, letter: DeadLetter) -> SafeString:
        """Return the letters that wait behind this letter, with links."""
        rows = resolving.behind(letter).defer("value", "headers")[:_LISTED_BEHIND]
        cells = [(_link(row), row.event_type, row.status, f"{row.created_at:%Y-%m-%d %H:%M:%S}") for row in rows]
        listed = table(("letter", "type", "status", "since (UTC)"), cells, empty="Nothing waits behind it.")
        more = vars(letter).get("waiting", 0) - len(cells)
        return format_html("{}<p>… and {} more.</p>", listed, more) if more > 0 else listed

    @display(description="as JSON")
    def payload(self, letter: DeadLetter) -> SafeString:
        """Return the value as indented JSON."""
        return _verbatim(shown.pretty(letter) or "The value is no JSON. See it raw.")

    @display(description="raw")
    def raw_payload(self, letter: DeadLetter) -> SafeString:
        """Return the value as it came, with odd bytes escaped."""
        return _verbatim(shown.raw(letter))

    @display(description="as they came")
    def header_table(self, letter: DeadLetter) -> SafeString:
        """Return the headers as a table."""
        empty = "The record has no headers, or they cannot be read."
        return table(("name", "value"), shown.headers(letter), empty=empty)

    # ------------------------------------------------------------------ actions

    @action(description="Retry…", url_path="retry", permissions=["settle"], icon="replay")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what a retry does, and do it."""
        return self._settle_one(request, object_id, settle_pages.retry)

    @action(
        description="Discard…", url_path="discard", permissions=["settle"], icon="delete_forever",
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a reason, and discard the letter."""
        return self._settle_one(request, object_id, settle_pages.discard)

    @action(description="Retry…", permissions=["settle"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Show what a retry of the selected letters does, and do it."""
        return settle_pages.retry(self, request, _ids(queryset))

    @action(description="Discard with a reason…", permissions=["settle"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Ask for a reason, and discard the selected letters."""
        return settle_pages.discard(self, request, _ids(queryset))

    def _settle_one(self, request: HttpRequest, object_id: str, page: _Page) -> HttpResponse:
        letter = self.get_object(request, object_id)
        if letter is None:
            raise Http404
        return page(self, request, [letter.pk]) or redirect(reverse("admin:inbox_deadletter_change", args=[letter.pk]))


@admin.register(SkippedType)
class SkippedTypeAdmin(_ForReadersOfLetters, ModelAdmin):
    """Event types that this release does not know. `replay_events` brings them back after an upgrade."""

    list_display: ClassVar = ("event_type", "count", "topic", "consumer", "first_at", "last_at")
    list_filter: ClassVar = ("consumer", "topic")
    ordering: ClassVar = ("-last_at",)


@admin.register(BrakedType)
class BrakedTypeAdmin(_ForReadersOfLetters, ModelAdmin):
    """Event types whose handler fails. Their events wait until one of them takes effect when the consumer tries it."""

    list_display: ClassVar = ("event_type", "cause_start", "since", "probes", "next_probe_at", "consumer")
    ordering: ClassVar = ("-since",)

    @display(description="cause")
    def cause_start(self, braked: BrakedType) -> str:
        """Return the beginning of the cause."""
        return shown.first_line(braked.cause)


def _ids(queryset: QuerySet[DeadLetter]) -> list[int]:
    return list(queryset.order_by("id").values_list("id", flat=True))


def _link(letter: DeadLetter) -> SafeString:
    address = reverse("admin:inbox_deadletter_change", args=[letter.pk])
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', address, letter.pk)


def _verbatim(text: str) -> SafeString:
    lines = format_html_join("\n", "{}", ((line,) for line in text.split("\n")))
    style = "overflow-y-auto whitespace-pre-wrap break-all font-mono text-xs max-h-96"
    return format_html('<pre class="{}">{}</pre>', style, lines)
