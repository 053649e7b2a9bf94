"""Departures for the catalogue's editors: scheduled, changed and cancelled by the services, so that bookings_service hears of it."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from destinations_service.catalogue import services
from destinations_service.catalogue.contracts import DepartureChange, DepartureView
from destinations_service.catalogue.models import Departure
from shared.errors import DomainError
from shared.telemetry import current_locale

STATUS_COLOURS = {"Open": "success", "Closed": "warning", "Cancelled": "danger"}


class DepartureForm(forms.ModelForm):  # type: ignore[type-arg]
    """A departure's changes, made by the services: a refusal is shown at its field and nothing is saved."""

    class Meta:
        model = Departure
        fields = ("trip", "starts_at", "ends_at", "status", "capacity", "adult_price", "child_price")

    def _post_clean(self) -> None:
        """Schedule the departure, or make the change, once everything else is found good."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            self.instance.pk = self._save(dict(self.cleaned_data)).id
        except DomainError as refusal:
            named = re.sub("([A-Z])", r"_\1", refusal.field or "").lower()
            self.add_error(named if named in self.fields else None, refusal.localized(current_locale()))

    def _get_validation_exclusions(self) -> set[str]:
        """Leave to the services what the table would refuse: they name the field."""
        return {field.name for field in self._meta.model._meta.fields}

    def _save(self, cleaned: dict[str, Any]) -> DepartureView:
        if not self.instance._state.adding:
            return services.change_departure(departure_id=self.instance.pk, change=DepartureChange(**cleaned))
        trip = cleaned.pop("trip")
        cleaned.pop("status", None)
        return services.schedule_departure(trip_id=trip.id, time_zone=trip.destination.time_zone or "UTC", **cleaned)


@admin.register(Departure)
class DepartureAdmin(ModelAdmin):
    """Departures: each change is a version that bookings_service is told of."""

    form = DepartureForm
    list_display = ("trip", "starts_at", "shown_status", "capacity", "seats_left", "adult_price", "child_price")
    list_filter = ("status",)
    search_fields = ("trip__slug", "trip__translations__title")
    date_hierarchy = "starts_at"
    show_full_result_count = False
    list_select_related = ("trip",)
    fields = (
        ("trip", "status"),
        ("starts_at", "ends_at"),
        ("adult_price", "child_price"),
        ("capacity", "seats_left"),
        "version",
    )
    autocomplete_fields = ("trip",)
    compressed_fields = True

    def get_readonly_fields(self, request: HttpRequest, obj: Departure | None = None) -> tuple[str, ...]:
        """A departure stays with its trip; a new one is open and begins at version 1."""
        return ("seats_left", "version", "status") if obj is None else ("trip", "seats_left", "version")

    @display(description="status", label=STATUS_COLOURS, ordering="status")
    def shown_status(self, row: Departure) -> str:
        """Return the status, coloured."""
        return str(row.get_status_display())

    def save_model(self, request: HttpRequest, obj: Departure, form: Any, change: bool) -> None:
        """Nothing: the form has had the service save it."""
        messages.info(request, "Bookings are told of the change.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
