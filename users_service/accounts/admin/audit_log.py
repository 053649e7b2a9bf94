"""The audit log for support: read it, filter it, find what happened to an account. Nobody can change it here."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from shared.admin import ReadOnly
from users_service.accounts import devices
from users_service.accounts.domain import AuditAction, fold
from users_service.accounts.models import AuditEntry, User


class ActionFilter(admin.SimpleListFilter):
    """One action. The choices are every action that exists, so no query has to look for them."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return every action."""
        return [(action.value, action.value.replace("_", " ")) for action in AuditAction]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Return the entries of the chosen action."""
        if not self.value():
            return queryset
        return queryset.filter(action=self.value()) if self.value() in set(AuditAction) else queryset.none()


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, ModelAdmin):
    """The audit log. It has millions of entries, so no page counts or sorts all of them."""

    list_display = ("time", "action", "account", "network_address", "device", "user_agent")
    list_filter = (ActionFilter, "at")
    search_fields = ("user_id",)
    search_help_text = "The id or the address of an account"
    ordering = ("-id",)  # the order of writing: the index of the primary key has it
    sortable_by = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = ("time", "action", "account", "network_address", "device", "user_agent", "request_id")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Return the entries with the addresses of the accounts that still exist."""
        address = User.objects.filter(id=OuterRef("user_id")).values("email")
        return super().get_queryset(request).annotate(address=Subquery(address))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return whether the URL of the list may filter like this: only as the filters on the page do."""
        return lookup in (ActionFilter.parameter_name, "at__gte", "at__lt")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Return the entries of the account with this id or address."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(user_id__in=_accounts(search_term.strip())), False

    @admin.display(description="at")
    def time(self, entry: AuditEntry) -> str:
        """Return the time to the second, in UTC."""
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="network address")
    def network_address(self, entry: AuditEntry) -> str:
        """Return the network address, or nothing if it was cleared."""
        return entry.ip_address or ""

    @admin.display(description="account")
    def account(self, entry: Any) -> str:
        """Return a link to the account, or its id if it is gone. Without an account, the address had none."""
        if entry.address:
            url = reverse("admin:accounts_user_change", args=[entry.user_id])
            return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', url, entry.address)
        return str(entry.user_id) if entry.user_id else "no account"

    @admin.display(description="device")
    def device(self, entry: AuditEntry) -> str:
        """Return the device in words."""
        return devices.in_words(entry.user_agent)


def _accounts(term: str) -> list[UUID]:
    try:
        return [UUID(term)]
    except ValueError:
        return list(User.objects.filter(email=fold(term)).values_list("id", flat=True))
