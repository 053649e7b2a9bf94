"""Departures in the admin. The services make every change, so that bookings_service receives it as an event."""

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.decorators import display

from destinations_service.catalogue import services
from destinations_service.catalogue.admin.history import HistoryAdmin
from destinations_service.catalogue.contracts import DepartureChange, DepartureView
from destinations_service.catalogue.models import Departure
from shared.errors import DomainError
from shared.telemetry import current_locale

if TYPE_CHECKING:

    class BaseForm(forms.ModelForm[Departure]):
        def _post_clean(self) -> None: ...  # a hook of Django's forms that the stubs omit

else:
    BaseForm = forms.ModelForm

STATUS_COLOURS = {"Open": "success", "Closed": "warning", "Cancelled": "danger"}


class DepartureForm(BaseForm):
    """Save through the services. A refusal is shown at its field, and then nothing is saved."""

    class Meta:
        model = Departure
        fields = ("trip", "starts_at", "ends_at", "status", "capacity", "adult_price", "child_price")

    def _post_clean(self) -> None:
        """Schedule or change the departure if every field is valid."""
        super()._post_clean()
        if self.errors:
            return
        try:
            self.instance.pk = self._save(dict(self.cleaned_data)).id
        except DomainError as refusal:
            name = re.sub("([A-Z])", r"_\1", refusal.field or "").lower()
            self.add_error(name if name in self.fields else None, refusal.localized(current_locale()))

    def _get_validation_exclusions(self) -> set[str]:
        """Skip Django's checks of the model: the services make them and name the field."""
        return {field.name for field in self._meta.model._meta.fields}

    def _save(self, cleaned: dict[str, Any]) -> DepartureView:
        if not self.instance._state.adding:
            return services.change_departure(departure_id=self.instance.pk, change=DepartureChange(**cleaned))
        trip = cleaned.pop("trip")
        cleaned.pop("status", None)
        return services.schedule_departure(trip_id=trip.id, time_zone=trip.destination.time_zone or "UTC", **cleaned)


@admin.register(Departure)
class DepartureAdmin(HistoryAdmin):
    """Departures. Each change is a new version, which is published to bookings_service."""

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
        """A departure cannot move to another trip. A new departure is always open."""
        return ("seats_left", "version", "status") if obj is None else ("trip", "seats_left", "version")

    @display(description="status", label=STATUS_COLOURS, ordering="status")
    def shown_status(self, row: Departure) -> str:
        """Return the status, which the list shows in colour."""
        return str(row.get_status_display())

    def save_model(self, request: HttpRequest, obj: Departure, form: Any, change: bool) -> None:
        """Save nothing: the form has already called the service."""
        messages.info(request, "The change is saved and will be sent to bookings.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
