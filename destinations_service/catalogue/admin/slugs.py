"""Earlier slugs of a place or trip: shown on its page, where they can be removed."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from destinations_service.catalogue.models import SlugRedirect


class EarlierSlugInline(TabularInline):
    """Slugs that lead here. After one is removed, links to it lead nowhere, and another place may take it."""

    model = SlugRedirect
    verbose_name = "earlier slug"
    verbose_name_plural = "earlier slugs"
    extra = 0
    tab = True
    fields = readonly_fields = ("slug", "created_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rename adds them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SlugAdmin(ModelAdmin):
    """A page that lists the earlier slugs of its row, if there are any."""

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Return the inlines, with the earlier slugs of a row that has some."""
        inlines = list(super().get_inlines(request, obj))
        return [*inlines, EarlierSlugInline] if obj is not None and obj.earlier_slugs.exists() else inlines
