"""Trips in the admin, with their translations, their cancellation policy and their next departures."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import display

from destinations_service.catalogue import services
from destinations_service.catalogue.admin.content import LINES, ItineraryDayInline
from destinations_service.catalogue.admin.departures import STATUS_COLOURS
from destinations_service.catalogue.admin.destinations import PhotoInline
from destinations_service.catalogue.admin.history import HistoryAdmin
from destinations_service.catalogue.admin.slugs import SlugAdmin
from destinations_service.catalogue.admin.versioned import VersionedAdmin
from destinations_service.catalogue.models import CancellationRule, Departure, Trip, TripTranslation
from shared.money import Money

if TYPE_CHECKING:
    from datetime import datetime
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    class Upcoming(TypedDict):
        """What the list adds to a trip: the number of departures to come, and the start of the next."""

        to_come: int
        soonest: datetime | None


class TripTranslationInline(StackedInline):
    """Title and description by language."""

    model = TripTranslation
    formfield_overrides = LINES
    extra = 0
    max_num = 2
    tab = True


class CancellationRuleInline(TabularInline):
    """The cancellation policy."""

    model = CancellationRule
    extra = 0
    tab = True


class DepartureInline(TabularInline):
    """The departures to come, read-only. A departure is changed on its own page, which asks bookings_service."""

    model = Departure
    extra = 0
    hide_title = True
    show_change_link = True
    fields = ("starts_at", "ends_at", "shown_status", "capacity", "seats_left", "adults", "children")
    readonly_fields = fields
    per_page = 20

    def get_queryset(self, request: HttpRequest) -> QuerySet[Departure]:
        return (
            super()
            .get_queryset(request)
            .filter(starts_at__gt=timezone.now())
            .select_related("trip")
            .order_by("starts_at")
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="status", label=STATUS_COLOURS)
    def shown_status(self, row: Departure) -> str:
        """Return the status, which the list shows in colour."""
        return str(row.get_status_display())

    @admin.display(description="adult")
    def adults(self, row: Departure) -> str:
        """Return what an adult pays."""
        return str(Money.rounded(row.adult_price, row.trip.currency))

    @admin.display(description="child")
    def children(self, row: Departure) -> str:
        """Return what a child pays."""
        return str(Money.rounded(row.child_price, row.trip.currency))


def restore_trip(trip_id: UUID, **given: Any) -> None:
    """Restore the trip as it was before a transaction."""
    services.restore_trip(trip_id=trip_id, **given)


@admin.register(Trip)
class TripAdmin(VersionedAdmin, HistoryAdmin, SlugAdmin):
    """Trips, with their departures below them."""

    restore = staticmethod(restore_trip)

    list_display = (
        "title",
        "destination",
        "duration_days",
        "currency",
        "departures_to_come",
        "next_departure",
        "popularity",
    )
    list_filter = ("currency", "duration_days")
    search_fields = ("translations__title", "slug", "destination__slug")
    autocomplete_fields = ("destination",)
    show_full_result_count = False
    ordering = ("-popularity", "slug")
    inlines = (DepartureInline, TripTranslationInline, ItineraryDayInline, PhotoInline, CancellationRuleInline)
    compressed_fields = True
    fieldsets = ((None, {"fields": (("slug", "destination"), ("duration_days", "currency"), "tax_basis_points")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Trip | None = None) -> tuple[str, ...]:
        """Lock the currency once the trip has a departure: the departures' prices are in it."""
        return ("currency",) if obj is not None and obj.departures.exists() else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trip]:
        """Return trips with the translations and departures that the list shows."""
        upcoming = Q(departures__starts_at__gt=timezone.now())
        return (
            super()
            .get_queryset(request)
            .select_related("destination")
            .prefetch_related("translations")
            .annotate(
                to_come=Count("departures", filter=upcoming), soonest=Min("departures__starts_at", filter=upcoming)
            )
        )

    def save_model(self, request: HttpRequest, obj: Trip, form: Any, change: bool) -> None:
        """Save the row as the version that follows the present one."""
        if change:
            services.lock_version(obj)
        former = Trip.objects.filter(id=obj.id).values_list("slug", flat=True).first()
        super().save_model(request, obj, form, change)
        services.keep_addresses(obj, former=former)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the texts and the policy, then publish the change."""
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            services.record_trip_change(form.instance)

    def delete_model(self, request: HttpRequest, obj: Trip) -> None:
        """Delete the trip and publish the change."""
        services.delete_trip(trip_id=obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Trip]) -> None:
        """Delete the trips and publish the changes, in one transaction."""
        with transaction.atomic():
            for trip in queryset:
                services.delete_trip(trip_id=trip.id)

    @admin.display(description="title", ordering="slug")
    def title(self, row: Trip) -> str:
        """Return the English title."""
        return next((words.title for words in row.translations.all() if words.language == "EN"), row.slug)

    @admin.display(description="departures to come", ordering="to_come")
    def departures_to_come(self, row: "WithAnnotations[Trip, Upcoming]") -> int:
        """Return the number of departures to come."""
        return row.to_come

    @admin.display(description="next", ordering="soonest")
    def next_departure(self, row: "WithAnnotations[Trip, Upcoming]") -> "datetime | None":
        """Return when the next departure starts."""
        return row.soonest
