"""The page History of a row: who changed what and when, and a button that restores what was before a change."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from destinations_service.catalogue import selectors
from destinations_service.catalogue.models import Destination
from destinations_service.catalogue.selectors.history import Change, FieldChange
from shared.errors import DomainError
from shared.telemetry import current_locale

SHOWN: Final = 100
_EMPTY: Final = "—"


class HistoryAdmin(ModelAdmin):
    """A page with the history that the database has recorded.

    `restore` is the service that restores the row as it was before a transaction. Without it, the page has no buttons.
    """

    restore: Callable[..., None] | None = None

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages, with the one that restores."""
        opts = self.model._meta
        restoring = path(
            "<path:object_id>/restore/<int:transaction>/",
            self.admin_site.admin_view(self.restore_view),
            name=f"{opts.app_label}_{opts.model_name}_restore",
        )
        return [restoring, *super().get_urls()]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what changed, the latest first."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        changes = selectors.changes_of(row)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {row}",
            "opts": self.model._meta,
            "object": row,
            "changes": _shown(changes[:SHOWN]),
            "more": len(changes) > SHOWN,
            "can_restore": self.restore is not None and self.has_change_permission(request, row),
            "seen_version": getattr(row, "version", ""),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "catalogue/history.html", context)

    def restore_view(self, request: HttpRequest, object_id: str, transaction: int) -> HttpResponse:
        """Restore the row, and show its history with the outcome."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)
        if row is None or self.restore is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        seen = request.POST.get("seen_version", "")
        try:
            self.restore(row.pk, before=transaction, seen={int(seen)} if seen.isascii() and seen.isdecimal() else ())
        except DomainError as refusal:
            field = f"{refusal.field}: " if refusal.field else ""
            messages.error(request, f"Nothing was restored. {field}{refusal.localized(current_locale())}")
        else:
            messages.success(
                request, "Restored as it was before the change. This is a change too, at the top of the list."
            )
        opts = self.model._meta
        return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_history", args=[row.pk]))


def _shown(changes: list[Change]) -> list[dict[str, Any]]:
    accounts = {change.context["account"] for change in changes if change.context.get("account")}
    names = dict(get_user_model().objects.filter(pk__in=accounts).values_list("pk", "username"))
    # A member of staff who has used the admin is known by name over REST too.
    known = {
        change.context["staff"]: names[change.context["account"]]
        for change in changes
        if change.context.get("account") in names and "staff" in change.context
    }
    values = [value for change in changes for field in change.fields for value in (field.before, field.after)]
    ids = [value for value in values if isinstance(value, UUID)]
    places = dict(Destination.objects.filter(id__in=ids).values_list("id", "slug"))
    return [
        {
            "at": change.at,
            "who": _author(change.context, known),
            "transaction": change.transaction,
            "fields": [_row(field, places) for field in change.fields],
        }
        for change in changes
    ]


def _author(context: dict[str, Any], known: dict[str, str]) -> str:
    staff = context.get("staff")
    who = known.get(staff, f"staff {staff}") if staff else ""
    source = " ".join(str(context[name]) for name in ("source", "command") if context.get(name))
    return " by ".join(part for part in (source, who) if part) or "not recorded"


def _row(field: FieldChange, places: dict[UUID, str]) -> dict[str, str]:
    before, after = (_value(value, places) for value in (field.before, field.after))
    return {"name": f"{field.where}: {field.field}" if field.where else field.field, "before": before, "after": after}


def _value(value: Any, places: dict[UUID, str]) -> str:
    if value is None or value == "" or value == []:
        return _EMPTY
    if isinstance(value, UUID):
        return places.get(value, str(value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M %Z}"
    return str(value)
