"""The webhooks of payment providers, for finance.

A webhook that contradicts our records is kept here and changes nothing.
"""

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from bookings_service.payments.models import Webhook
from shared.admin import ReadOnly
from shared.money import Money


@admin.register(Webhook)
class WebhookAdmin(ReadOnly, ModelAdmin):
    """Every webhook with a valid signature, once. Filter by outcome for contradictions and unknown payments."""

    list_display = ("received_at", "provider", "type", "shown_outcome", "amount", "payment_key", "event_id")
    list_filter = ("outcome", "provider", "type")
    search_fields = ("payment_key__exact", "event_id__exact")
    search_help_text = "A payment's id, or the provider's id of the event"
    date_hierarchy = "received_at"
    show_full_result_count = False

    @display(
        description="outcome",
        ordering="outcome",
        label={"APPLIED": "success", "NOTHING_NEW": "info", "UNKNOWN": "warning", "CONTRADICTS": "danger"},
    )
    def shown_outcome(self, row: Webhook) -> str:
        """Return the outcome, shown in a colour."""
        return row.outcome

    @admin.display(description="amount")
    def amount(self, row: Webhook) -> str:
        """Return the amount in the webhook, or nothing."""
        return str(Money.from_minor(row.amount_minor, row.currency)) if row.amount_minor is not None else ""
