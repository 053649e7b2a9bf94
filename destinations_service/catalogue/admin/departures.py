"""Departures in the admin. The services make every change, so that bookings_service receives it as an event."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from destinations_service.catalogue import selectors, services
from destinations_service.catalogue.admin.history import HistoryAdmin
from destinations_service.catalogue.admin.versioned import Difference, VersionedAdmin, VersionedForm
from destinations_service.catalogue.contracts import DepartureChange, DepartureView
from destinations_service.catalogue.departure_rules import LONGEST_REASON, DepartureHasBookings
from destinations_service.catalogue.models import Departure
from shared.errors import DomainError

STATUS_COLOURS = {"Open": "success", "Closed": "warning", "Cancelled": "danger"}


class DepartureForm(VersionedForm):
    """Save through the services. A refusal is shown at its field, and then nothing is saved.

    A change of dates or prices that people have booked is refused once, with their number, until it has a reason.
    """

    affected: DepartureHasBookings | None = None
    reason = forms.CharField(
        required=False, max_length=LONGEST_REASON, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Needed for new dates or prices if people have booked. Travellers read it.",
    )  # fmt: skip

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
        except DepartureHasBookings as refusal:
            self.affected = refusal
            self.refuse(refusal)
        except DomainError as refusal:
            self.refuse(refusal)

    def _get_validation_exclusions(self) -> set[str]:
        """Skip Django's checks of the model: the services make them and name the field."""
        return {field.name for field in self._meta.model._meta.fields}

    def _save(self, cleaned: dict[str, Any]) -> DepartureView:
        if not self.instance._state.adding:
            change = DepartureChange(**cleaned)
            return services.change_departure(departure_id=self.instance.pk, change=change, seen=self.seen_versions())
        trip = cleaned.pop("trip")
        for name in ("status", "reason"):
            cleaned.pop(name, None)
        return services.schedule_departure(trip_id=trip.id, time_zone=trip.destination.time_zone or "UTC", **cleaned)


class OwnTransactions(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page without a transaction around it: the services ask bookings_service between two transactions."""

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Answer the page."""
        response: HttpResponse = self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined]
        return response


class MinimumFilter(admin.SimpleListFilter):
    """Departures that too few travellers have booked."""

    title = "minimum group"
    parameter_name = "minimum"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the one choice."""
        return [("below", "Below the minimum, and soon")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Departure]) -> QuerySet[Departure]:
        """Return the departures that the choice leaves."""
        return selectors.below_minimum(queryset) if self.value() == "below" else queryset


@admin.register(Departure)
class DepartureAdmin(VersionedAdmin, HistoryAdmin, OwnTransactions):
    """Departures. Each change is a new version, which is published to bookings_service."""

    form = DepartureForm
    locks_row = False
    change_form_before_template = "catalogue/departure.html"
    list_display = (
        "trip",
        "starts_at",
        "shown_status",
        "capacity",
        "seats_left",
        "taken",
        "adult_price",
        "child_price",
    )
    list_filter = ("status", MinimumFilter)
    search_fields = ("trip__slug", "trip__translations__title")
    date_hierarchy = "starts_at"
    show_full_result_count = False
    list_select_related = ("trip",)
    fields = (
        ("trip", "status"),
        ("starts_at", "ends_at"),
        ("adult_price", "child_price"),
        ("capacity", "seats_left"),
        "reason",
        ("version", "rescheduled_at"),
    )
    autocomplete_fields = ("trip",)
    compressed_fields = True

    def get_readonly_fields(self, request: HttpRequest, obj: Departure | None = None) -> tuple[str, ...]:
        """A departure cannot move to another trip. A new departure is always open."""
        always = ("seats_left", "version", "rescheduled_at")
        return (*always, "status") if obj is None else (*always, "trip")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the page, with whom a refused change would affect and what it would change."""
        form = context["adminform"].form
        if affected := getattr(form, "affected", None):
            context["affected"] = affected.params
            context["changes"] = list(_changes(form))
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="status", label=STATUS_COLOURS, ordering="status")
    def shown_status(self, row: Departure) -> str:
        """Return the status, which the list shows in colour."""
        return str(row.get_status_display())

    @admin.display(description="travellers", ordering="seats_taken")
    def taken(self, row: Departure) -> str:
        """Return the seats taken, and the fewest that the trip needs."""
        minimum = row.trip.minimum_group
        return str(row.seats_taken) if minimum is None else f"{row.seats_taken} of {minimum}"

    def save_model(self, request: HttpRequest, obj: Departure, form: Any, change: bool) -> None:
        """Save nothing: the form has already called the service."""
        messages.info(request, "The change is saved and will be sent to bookings.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _changes(form: forms.BaseForm) -> Iterator[Difference]:
    """Yield the new and the stored value of each field that the form changes."""
    for name in form.changed_data:
        if name != "reason":
            stored = getattr(form.instance.__class__.objects.get(pk=form.instance.pk), name)  # type: ignore[attr-defined]
            yield Difference(str(form[name].label), _text(form.cleaned_data[name]), _text(stored))


def _text(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M %Z}" if hasattr(value, "strftime") else str(value)
