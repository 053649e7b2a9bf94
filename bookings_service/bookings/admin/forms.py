"""The forms that staff fill in before they act. Each asks for a reason."""

from typing import Any
from uuid import uuid4

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from bookings_service.bookings.domain.staff_reason import MOST_CHARACTERS
from bookings_service.bookings.models import Booking
from bookings_service.payments.models import Refund
from shared.money import Money


class ReasonForm(forms.Form):
    """Asks for the reason. It is kept with the action."""

    reason = forms.CharField(
        max_length=MOST_CHARACTERS,
        widget=UnfoldAdminTextInputWidget,
        help_text="Only staff can read it, on the page of the booking.",
    )


class CancelForm(ReasonForm):
    """Asks which passengers to cancel, and at which percentage of refund."""

    passengers = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="If nobody is ticked, the whole booking is cancelled.",
    )
    percent = forms.IntegerField(
        label="Refund, in percent", required=False, min_value=0, max_value=100, widget=UnfoldAdminIntegerFieldWidget,
        help_text="If empty, the cancellation rule of the trip decides.",
    )  # fmt: skip
    field_order = ("passengers", "percent", "reason")

    def __init__(self, *args: Any, booking: Booking, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = booking.passengers.filter(cancelled_at__isnull=True)
        self.fields["passengers"].choices = [(str(passenger.id), str(passenger)) for passenger in active]  # type: ignore[attr-defined]


class RefundForm(ReasonForm):
    """Asks for the amount. The hidden key prevents a second refund if the form is sent twice."""

    amount = forms.DecimalField(max_digits=14, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget)
    key = forms.CharField(widget=forms.HiddenInput, initial=lambda: str(uuid4()), max_length=64)
    field_order = ("amount", "reason", "key")

    def __init__(self, *args: Any, booking: Booking, refundable: Money, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._currency = booking.currency
        self.fields["amount"].help_text = f"In {booking.currency}, at most {refundable.amount}."

    def money(self) -> Money:
        """Return the amount. Raises ValueError if it has more decimal places than the currency."""
        return Money(self.cleaned_data["amount"].normalize() + 0, self._currency)


class FailedRefundForm(ReasonForm):
    """Asks which failed refund to retry or write off."""

    refund = forms.ChoiceField(widget=UnfoldAdminRadioSelectWidget)
    what = forms.ChoiceField(
        label="What to do",
        choices=[("retry", "Ask the provider again"), ("write_off", "Write it off: it will never be paid out")],
        widget=UnfoldAdminRadioSelectWidget,
    )
    field_order = ("refund", "what", "reason")

    def __init__(self, *args: Any, refunds: list[Refund], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["refund"].choices = [  # type: ignore[attr-defined]
            (
                str(refund.id),
                f"{Money.from_minor(refund.amount_minor, refund.currency)} of {refund.created_at:%Y-%m-%d}",
            )
            for refund in refunds
        ]
