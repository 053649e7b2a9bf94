"""The catalogue for its editors: the tree of destinations, trips with their departures; saving goes through the services."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat, Trim
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from destinations_service.catalogue import services
from destinations_service.catalogue.departure_admin import STATUS_COLOURS
from destinations_service.catalogue.models import (
    AveragePrice,
    CancellationRule,
    Departure,
    Destination,
    DestinationTranslation,
    ExchangeRate,
    Photo,
    Trip,
    TripTranslation,
)
from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS
from shared.money import Money

KIND_COLOURS = {"Country": "info", "City": "success", "Point of interest": "warning"}
# Each place below its parent: country, then city, then point of interest.
_PARTS = (Coalesce(f"{up}slug", Value(""), output_field=TextField()) for up in ("parent__parent__", "parent__", ""))
BY_TREE = Trim(Concat(*(part for slug in _PARTS for part in (slug, Value(" "))), output_field=TextField()))


class WordsInline(StackedInline):
    """Names and descriptions by language."""

    model = DestinationTranslation
    extra = 0
    max_num = 2
    tab = True


class PhotoInline(TabularInline):
    """Photos, in their order."""

    model = Photo
    extra = 0
    hide_title = True
    fields = ("preview", "alt_en", "alt_fr", "credit", "license", "position")
    readonly_fields = ("preview", "credit", "license")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="photo")
    def preview(self, photo: Photo) -> SafeString:
        """Return the photo, small."""
        url = f"/photos/{photo.id}/{RENDITION_WIDTHS[0]}.jpg"
        return format_html(
            '<img src="{}" width="160" loading="lazy" alt="{}" style="border-radius:6px">', url, photo.alt_en
        )


class PriceInline(TabularInline):
    """Average prices."""

    model = AveragePrice
    extra = 0
    tab = True


class DepthFilter(admin.SimpleListFilter):
    """Below which country: the tree, from its roots."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = DestinationTranslation.objects.filter(destination__kind="COUNTRY", language="EN").order_by("name")
        return list(rows.values_list("destination__country_code", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Destination]) -> QuerySet[Destination]:
        return queryset.filter(country_code=self.value()) if self.value() else queryset


@admin.register(Destination)
class DestinationAdmin(ModelAdmin):
    """Destinations, as the tree they are."""

    list_display = ("place", "shown_kind", "inside", "shown_population", "popularity", "trip_count")
    list_filter = ("kind", DepthFilter)
    search_fields = ("translations__name", "slug")
    search_help_text = "A name in any language, or a slug"
    autocomplete_fields = ("parent",)
    list_per_page = 50
    show_full_result_count = False
    ordering = (BY_TREE.asc(),)
    inlines = (PhotoInline, WordsInline, PriceInline)
    compressed_fields = True
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    fieldsets = (
        (None, {"fields": (("kind", "parent"), ("slug", "tags"), ("country_code", "currency"))}),
        ("Where", {"fields": (("latitude", "longitude"), ("time_zone", "population"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Destination]:
        """Return destinations with what the list shows."""
        rows = super().get_queryset(request).annotate(trips_here=Count("trips"))
        return rows.prefetch_related("translations", "parent__translations")

    @admin.display(description="place", ordering="slug")
    def place(self, row: Destination) -> SafeString:
        """Return the name, indented by its depth in the tree."""
        return format_html('<span style="padding-left:{}rem">{}</span>', len(row.ancestors), _name(row))

    @display(description="kind", label=KIND_COLOURS, ordering="kind")
    def shown_kind(self, row: Destination) -> str:
        """Return the kind, coloured."""
        return str(row.get_kind_display())

    @admin.display(description="inside")
    def inside(self, row: Destination) -> SafeString | str:
        """Return the parent, to go to."""
        if row.parent is None:
            return "—"
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:catalogue_destination_change", args=[row.parent_id]),
            _name(row.parent),
        )

    @admin.display(description="population", ordering="population")
    def shown_population(self, row: Destination) -> str:
        """Return the population as people read it."""
        return f"{row.population:,}" if row.population else "—"

    @admin.display(description="trips", ordering="trips_here")
    def trip_count(self, row: Destination) -> int:
        """Return how many trips go there."""
        return int(row.trips_here)  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Destination, form: Any, change: bool) -> None:
        """Set its place in the tree with it."""
        services.places.place_in_tree(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Bring up to date what is derived, and tell of the change, once words and prices are saved."""
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            services.touch_destination(form.instance)


class TripWordsInline(StackedInline):
    """Title and description by language."""

    model = TripTranslation
    extra = 0
    max_num = 2
    tab = True


class RuleInline(TabularInline):
    """The cancellation policy."""

    model = CancellationRule
    extra = 0
    tab = True


class DepartureInline(TabularInline):
    """The departures to come. They are changed on their own page, where bookings_service is asked."""

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
        """Return the status, coloured."""
        return str(row.get_status_display())

    @admin.display(description="adult")
    def adults(self, row: Departure) -> str:
        """Return what an adult pays."""
        return str(Money.rounded(row.adult_price, row.trip.currency))

    @admin.display(description="child")
    def children(self, row: Departure) -> str:
        """Return what a child pays."""
        return str(Money.rounded(row.child_price, row.trip.currency))


@admin.register(Trip)
class TripAdmin(ModelAdmin):
    """Trips, with their departures under them."""

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
    inlines = (DepartureInline, TripWordsInline, RuleInline)
    compressed_fields = True
    fieldsets = ((None, {"fields": (("slug", "destination"), ("duration_days", "currency"), "tax_basis_points")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Trip | None = None) -> tuple[str, ...]:
        """The currency is that of every departure: it stays once there is one."""
        return ("currency",) if obj is not None and obj.departures.exists() else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trip]:
        """Return trips with what the list shows."""
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

    @admin.display(description="title", ordering="slug")
    def title(self, row: Trip) -> str:
        """Return the English title."""
        return next((words.title for words in row.translations.all() if words.language == "EN"), row.slug)

    @admin.display(description="departures to come", ordering="to_come")
    def departures_to_come(self, row: Trip) -> int:
        """Return how many are to come."""
        return int(row.to_come)  # type: ignore[attr-defined]

    @admin.display(description="next", ordering="soonest")
    def next_departure(self, row: Trip) -> Any:
        """Return when the next one leaves."""
        return row.soonest  # type: ignore[attr-defined]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    """Reference rates."""

    list_display = ("currency", "rate", "as_of", "source")
    list_filter = ("as_of",)
    search_fields = ("currency",)


def _name(row: Destination) -> str:
    return next((words.name for words in row.translations.all() if words.language == "EN"), row.slug)
