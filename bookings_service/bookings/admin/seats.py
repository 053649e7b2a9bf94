"""Seats of each departure, and the line for them."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from bookings_service.bookings.admin.readonly import ReadOnly, table
from bookings_service.bookings.models import SeatInventory, WaitlistEntry


@admin.register(SeatInventory)
class SeatInventoryAdmin(ReadOnly, ModelAdmin):
    """Seats of each departure."""

    list_display = ("departure_id", "starts_at", "capacity", "held", "sold", "free", "closed")
    list_filter = ("closed", "cancelled")
    search_fields = ("departure_id__iexact",)
    ordering = ("starts_at",)
    show_full_result_count = False
    fields = (
        ("departure_id", "starts_at"),
        ("capacity", "free"),
        ("held", "sold"),
        ("closed", "cancelled"),
        "bookings",
        "line",
    )
    compressed_fields = True
    readonly_fields = ("free", "bookings", "line")

    @admin.display(description="free")
    def free(self, row: SeatInventory) -> SafeString:
        """Return how many can be held now."""
        left = row.capacity - row.held - row.sold
        return format_html("<strong>{}</strong>", left) if left <= 3 else format_html("{}", left)

    @admin.display(description="bookings")
    def bookings(self, row: SeatInventory) -> SafeString:
        """Return the way to the departure's bookings."""
        url = reverse("admin:bookings_booking_changelist")
        return format_html('<a class="underline" href="{}?departure_id__exact={}">Show them</a>', url, row.departure_id)

    @admin.display(description="waiting list")
    def line(self, row: SeatInventory) -> SafeString:
        """Return who waits, in their order, and who has an offer."""
        entries = WaitlistEntry.objects.filter(departure_id=row.departure_id).order_by("joined_at", "id")[:200]
        rows = (
            (
                f"{one.joined_at:%Y-%m-%d %H:%M}", one.traveller_id, one.seats, one.status,
                f"{one.offered_until:%Y-%m-%d %H:%M}" if one.offered_until else "",
            )
            for one in entries
        )  # fmt: skip
        return table(("joined (UTC)", "traveller", "seats", "status", "offered until"), rows, empty="Nobody waits.")
