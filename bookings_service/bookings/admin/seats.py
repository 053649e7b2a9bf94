"""The seats of each departure, and its waiting list."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from bookings_service.bookings.domain.waitlist import LIVE_ENTRY
from bookings_service.bookings.models import SeatInventory, WaitlistEntry
from shared.admin import ReadOnly, table


@admin.register(SeatInventory)
class SeatInventoryAdmin(ReadOnly, ModelAdmin):
    """A read-only page per departure."""

    list_display = ("departure_id", "starts_at", "capacity", "held", "sold", "free", "closed", "rescheduled_at")
    list_filter = ("closed", "cancelled")
    search_fields = ("departure_id__iexact",)
    ordering = ("starts_at",)
    show_full_result_count = False
    fields = (
        ("departure_id", "moved"),
        ("starts_at", "ends_at"),
        ("rescheduled_at", "change_reason"),
        ("capacity", "free"),
        ("held", "sold"),
        ("closed", "cancelled"),
        "bookings",
        "waiting_list",
    )
    compressed_fields = True
    readonly_fields = ("free", "bookings", "waiting_list")

    @admin.display(description="free")
    def free(self, row: SeatInventory) -> SafeString:
        """Return the free seats, in bold if there are three or fewer."""
        return format_html("<strong>{}</strong>" if row.free_seats <= 3 else "{}", row.free_seats)

    @admin.display(description="bookings")
    def bookings(self, row: SeatInventory) -> SafeString:
        """Return a link to the departure's bookings."""
        url = reverse("admin:bookings_booking_changelist")
        return format_html('<a class="underline" href="{}?departure_id__exact={}">Show them</a>', url, row.departure_id)

    @admin.display(description="waiting list")
    def waiting_list(self, row: SeatInventory) -> SafeString:
        """Return the first 200 live entries of the waiting list, in their order."""
        live = WaitlistEntry.objects.filter(departure_id=row.departure_id, status__in=LIVE_ENTRY)
        entries = live.order_by("joined_at", "id")[:200]
        rows = (
            (
                f"{entry.joined_at:%Y-%m-%d %H:%M}", entry.traveller_id, entry.seats, entry.status,
                f"{entry.offered_until:%Y-%m-%d %H:%M}" if entry.offered_until else "",
            )
            for entry in entries
        )  # fmt: skip
        return table(
            ("joined (UTC)", "traveller", "seats", "status", "offered until (UTC)"), rows, empty="Nobody waits."
        )
