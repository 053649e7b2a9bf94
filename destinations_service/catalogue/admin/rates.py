"""Exchange rates in the admin."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from destinations_service.catalogue.models import ExchangeRate


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    """Reference rates."""

    list_display = ("currency", "rate", "as_of", "source")
    list_filter = ("as_of",)
    search_fields = ("currency",)
