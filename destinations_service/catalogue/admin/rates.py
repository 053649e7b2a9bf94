"""Exchange rates in the admin."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from destinations_service.catalogue import services
from destinations_service.catalogue.admin.history import HistoryAdmin
from destinations_service.catalogue.models import ExchangeRate


@admin.register(ExchangeRate)
class ExchangeRateAdmin(HistoryAdmin):
    """Reference rates. Every change is published."""

    list_display = ("currency", "rate", "as_of", "source")
    list_filter = ("as_of",)
    search_fields = ("currency",)

    def save_model(self, request: HttpRequest, obj: ExchangeRate, form: Any, change: bool) -> None:
        """Save the rate and publish the change."""
        super().save_model(request, obj, form, change)
        services.record_rates_change({obj.currency, form.initial.get("currency", obj.currency)})

    def delete_model(self, request: HttpRequest, obj: ExchangeRate) -> None:
        """Delete the rate and publish the change."""
        super().delete_model(request, obj)
        services.record_rates_change({obj.currency})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ExchangeRate]) -> None:
        """Delete the rates and publish the change."""
        with transaction.atomic():
            currencies = set(queryset.values_list("currency", flat=True))
            super().delete_queryset(request, queryset)
            services.record_rates_change(currencies)
