"""Accounts for support: find a person, see their devices and actions. Only rights and closing can be changed."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from shared.admin import ReadOnly
from users_service.accounts import devices, services
from users_service.accounts.models import Profile, Session, User


class ProfileInline(ReadOnly, StackedInline):
    """The profile of an account."""

    model = Profile
    can_delete = False
    tab = True


class SessionInline(ReadOnly, TabularInline):
    """The signed-in devices of an account."""

    model = Session
    fields = ("device", "network_address", "created_at", "last_used", "expires_at", "revoked_at", "user_agent")
    readonly_fields = fields
    extra = 0
    per_page = 20
    tab = True
    hide_title = True

    @admin.display(description="device")
    def device(self, session: Session) -> str:
        """Return the device in words."""
        return devices.in_words(session.user_agent)

    @admin.display(description="last used")
    def last_used(self, session: Session) -> str:
        """Return when the session last refreshed its tokens, in UTC."""
        return f"{session.rotated_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="network address")
    def network_address(self, session: Session) -> str:
        """Return the address that the session was opened from."""
        return session.ip_address or ""


@admin.register(User)
class UserAdmin(ModelAdmin):
    """Accounts. Staff can close an account; superusers can also change its rights."""

    list_display = ("email", "name", "verified", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "profile__first_name", "profile__last_name", "id")
    readonly_fields = ("id", "email", "email_verified_at", "last_login", "created_at", "audit_log")
    fieldsets = (
        (None, {"fields": ("email", "email_verified_at", "created_at", "last_login", "id", "audit_log")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )
    formfield_overrides = {models.ManyToManyField: {"widget": UnfoldAdminCheckboxSelectMultipleWidget}}
    inlines = (ProfileInline, SessionInline)
    list_select_related = ("profile",)
    ordering = ("-created_at",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        """Return accounts with their profile."""
        return super().get_queryset(request).select_related("profile")

    @admin.display(description="name")
    def name(self, user: User) -> str:
        """Return the person's name."""
        return str(user.profile)

    @admin.display(description="audit log")
    def audit_log(self, user: User) -> str:
        """Return a link to what happened to the account."""
        url = reverse("admin:accounts_auditentry_changelist", query={"q": user.id})
        return format_html('<a class="text-primary-600 underline" href="{}">What happened to this account</a>', url)

    @admin.display(description="verified", boolean=True)
    def verified(self, user: User) -> bool:
        """Return whether the address was verified."""
        return user.email_verified_at is not None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return whether the URL of the list may filter like this: only as the filters on the page do.

        Django allows every column, so staff who may only read could find out a password's hash, letter by letter.
        """
        return lookup.split("__")[0] in self.list_filter

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Return the fields that cannot be changed. Only a superuser can change rights."""
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups")
        return (*self.readonly_fields, *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may change this account. Only a superuser may change a superuser's account."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save only what was changed, so that a password set meanwhile stays. Closing an account ends its sessions."""
        obj.save(update_fields={"is_staff", "is_superuser"}.intersection(form.changed_data))
        if "is_active" in form.changed_data:
            services.set_active(user_id=obj.id, is_active=obj.is_active)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse to add accounts: people register."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to delete accounts: only their owner may have them erased."""
        return False
