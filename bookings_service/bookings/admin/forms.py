"""What staff are asked before they act: always a reason."""

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

from bookings_service.bookings.domain.reasons import MOST_CHARACTERS
from bookings_service.bookings.models import Booking
from bookings_service.payments.models import Refund
from shared.money import Money


class ReasonForm(forms.Form):
    """Why, for the audit."""

    reason = forms.CharField(
        max_length=MOST_CHARACTERS, widget=UnfoldAdminTextInputWidget, help_text="Staff alone read it, in the timeline."
    )


class CancelForm(ReasonForm):
    """Whom, and at which percentage."""

    passengers = forms.MultipleChoiceField(
        required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text="Nobody ticked: the whole booking."
    )
    percent = forms.IntegerField(
        label="Refund, in percent", required=False, min_value=0, max_value=100, widget=UnfoldAdminIntegerFieldWidget,
        help_text="Left empty, the rule of the trip decides.",
    )  # fmt: skip
    field_order = ("passengers", "percent", "reason")

    def __init__(self, *args: Any, booking: Booking, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        living = booking.passengers.filter(cancelled_at__isnull=True)
        self.fields["passengers"].choices = [(str(one.id), str(one)) for one in living]  # type: ignore[attr-defined]


class RefundForm(ReasonForm):
    """How much. The key makes a form that is sent twice one refund."""

    amount = forms.DecimalField(max_digits=14, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget)
    key = forms.CharField(widget=forms.HiddenInput, initial=lambda: str(uuid4()), max_length=64)
    field_order = ("amount", "reason", "key")

    def __init__(self, *args: Any, booking: Booking, left: Money, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._currency = booking.currency
        self.fields["amount"].help_text = f"In {booking.currency}, at most {left.amount}."

    def money(self) -> Money:
        """Return the amount. Raises ValueError where it is finer than the currency."""
        return Money(self.cleaned_data["amount"].normalize() + 0, self._currency)


class FailedRefundForm(ReasonForm):
    """Which refund, and what becomes of it."""

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
            (str(one.id), f"{Money.from_minor(one.amount_minor, one.currency)} of {one.created_at:%Y-%m-%d}")
            for one in refunds
        ]
