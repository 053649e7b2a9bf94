"""Destinations in the admin, as a tree, with their translations, photos and prices."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import connection, transaction
from django.db.models import Count, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, Concat, Trim
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import StackedInline, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from destinations_service.catalogue import services
from destinations_service.catalogue.admin.content import OpeningHoursInline
from destinations_service.catalogue.admin.history import HistoryAdmin
from destinations_service.catalogue.admin.slugs import SlugAdmin
from destinations_service.catalogue.admin.versioned import VersionedAdmin, VersionedForm
from destinations_service.catalogue.models import AveragePrice, Destination, DestinationTranslation, Photo
from destinations_service.catalogue.photos.drawing import RENDITION_WIDTHS
from shared.errors import DomainError

if TYPE_CHECKING:
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    class TripCount(TypedDict):
        """What the list adds to a destination: the number of its trips."""

        trips_here: int


KIND_COLOURS = {"Country": "info", "City": "success", "Point of interest": "warning"}
# Sorts each place directly below its parent: country, then city, then point of interest.
_PARTS = (Coalesce(f"{up}slug", Value(""), output_field=TextField()) for up in ("parent__parent__", "parent__", ""))
BY_TREE = Trim(Concat(*(part for slug in _PARTS for part in (slug, Value(" "))), output_field=TextField()))


class DestinationTranslationInline(StackedInline):
    """Name, summary and description by language."""

    model = DestinationTranslation
    extra = 0
    max_num = 2
    tab = True


class PhotoInline(TabularInline):
    """Photos, in the order in which they are shown."""

    model = Photo
    extra = 0
    hide_title = True
    fields = ("preview", "alt_en", "alt_fr", "credit", "license", "position")
    readonly_fields = ("preview", "credit", "license")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="photo")
    def preview(self, photo: Photo) -> SafeString:
        """Return a small version of the photo."""
        url = f"/photos/{photo.id}/{RENDITION_WIDTHS[0]}.jpg"
        return format_html(
            '<img src="{}" width="160" loading="lazy" alt="{}" style="border-radius:6px">', url, photo.alt_en
        )


class AveragePriceInline(TabularInline):
    """Average prices."""

    model = AveragePrice
    extra = 0
    tab = True


class CountryFilter(admin.SimpleListFilter):
    """Only the places of one country."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = DestinationTranslation.objects.filter(destination__kind="COUNTRY", language="EN").order_by("name")
        return list(rows.values_list("destination__country_code", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Destination]) -> QuerySet[Destination]:
        return queryset.filter(country_code=self.value()) if self.value() else queryset


class DestinationForm(VersionedForm):
    """Check the place by the rules of the services. A refusal is shown at its field, and then nothing is saved."""

    def _post_clean(self) -> None:
        """Check the place if every field is valid."""
        if self.errors:
            super()._post_clean()
            return
        super()._post_clean()
        if set(self.errors) - {NON_FIELD_ERRORS}:
            return
        try:
            # A moved place takes the code of its country, unless the editor has written another one.
            services.check_place(self.instance, code_given="country_code" in self.changed_data)
        except DomainError as refusal:
            self.errors.pop(NON_FIELD_ERRORS, None)  # the name of the constraint, which the refusal puts in words
            self.refuse(refusal)


def restore_place(destination_id: UUID, **given: Any) -> None:
    """Restore the place as it was before a transaction."""
    services.restore_destination(destination_id=destination_id, **given)


@admin.register(Destination)
class DestinationAdmin(VersionedAdmin, HistoryAdmin, SlugAdmin):
    """Destinations, listed as a tree."""

    form = DestinationForm
    restore = staticmethod(restore_place)
    list_display = ("place", "shown_kind", "inside", "shown_population", "popularity", "trip_count")
    list_filter = ("kind", CountryFilter)
    search_fields = ("translations__name", "slug")
    search_help_text = "A name in any language, or a slug"
    autocomplete_fields = ("parent",)
    list_per_page = 50
    show_full_result_count = False
    ordering = (BY_TREE.asc(),)
    inlines = (PhotoInline, DestinationTranslationInline, AveragePriceInline, OpeningHoursInline)
    compressed_fields = True
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    fieldsets = (
        (None, {"fields": (("kind", "parent"), ("slug", "tags"), ("country_code", "currency"))}),
        ("Where", {"fields": (("latitude", "longitude"), ("time_zone", "population"))}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Destination]:
        """Return destinations with the translations and the number of trips that the list shows."""
        rows = super().get_queryset(request).annotate(trips_here=Count("trips"))
        return rows.prefetch_related("translations", "parent__translations")

    @admin.display(description="place", ordering="slug")
    def place(self, row: Destination) -> SafeString:
        """Return the name, indented by its depth in the tree."""
        return format_html('<span style="padding-left:{}rem">{}</span>', len(row.ancestors), _name(row))

    @display(description="kind", label=KIND_COLOURS, ordering="kind")
    def shown_kind(self, row: Destination) -> str:
        """Return the kind, which the list shows in colour."""
        return str(row.get_kind_display())

    @admin.display(description="inside")
    def inside(self, row: Destination) -> SafeString | str:
        """Return a link to the parent."""
        if row.parent is None:
            return "—"
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:catalogue_destination_change", args=[row.parent_id]),
            _name(row.parent),
        )

    @admin.display(description="population", ordering="population")
    def shown_population(self, row: Destination) -> str:
        """Return the population with thousands separators."""
        return f"{row.population:,}" if row.population else "—"

    @admin.display(description="trips", ordering="trips_here")
    def trip_count(self, row: "WithAnnotations[Destination, TripCount]") -> int:
        """Return the number of trips to this very place."""
        return row.trips_here

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the place. A save first locks what a change of its position needs."""
        if request.method == "POST" and connection.in_atomic_block and "kind" in request.POST:
            parent = _uuid(request.POST.get("parent", ""))
            wanted = {"kind": request.POST["kind"], "parent_id": parent}
            if place_id := _uuid(object_id):
                services.lock_place(place_id, wanted=wanted)
        return super().get_object(request, object_id, from_field)

    def save_model(self, request: HttpRequest, obj: Destination, form: Any, change: bool) -> None:
        """Save the row, and what follows from its position and its slug."""
        services.write_place(obj, code_given="country_code" in form.changed_data)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save translations and prices, then update the derived columns and publish the change."""
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            services.record_change(form.instance)

    def delete_model(self, request: HttpRequest, obj: Destination) -> None:
        """Delete the place and publish the change."""
        services.delete_destination(destination_id=obj.id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Destination]) -> None:
        """Delete the places and publish the changes, in one transaction."""
        with transaction.atomic():
            for place in queryset:
                services.delete_destination(destination_id=place.id)


def _name(row: Destination) -> str:
    return next((words.name for words in row.translations.all() if words.language == "EN"), row.slug)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
