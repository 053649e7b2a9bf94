"""The pages on which staff act. A form asks for a reason; then the page calls the service that the API calls too.

The page shows a refusal of the service.
"""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from bookings_service.bookings import selectors, services
from bookings_service.bookings.admin.forms import CancelForm, FailedRefundForm, RefundForm
from bookings_service.bookings.contracts import BookingView
from bookings_service.bookings.domain.booking import Status
from bookings_service.bookings.models import Booking
from bookings_service.payments import ledger
from bookings_service.payments.domain import RefundStatus
from bookings_service.payments.models import Refund
from shared.errors import DomainError
from shared.staff_sign_in import staff_id
from shared.text import Locale

PAGE = "bookings/admin/action.html"


def cancel(model_admin: ModelAdmin, request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Ask for passengers and a reason, show what would be refunded, and cancel when the person confirms it."""
    booking = _booking(booking_id)
    if quote_id := request.POST.get("confirm"):
        return _confirm(request, booking, quote_id)
    form = CancelForm(request.POST or None, booking=booking)
    quote = None
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            quote = services.quote_cancellation_as_staff(
                reference=booking.reference, passenger_ids=[UUID(passenger) for passenger in asked["passengers"]],
                staff_id=staff_id(request), staff_reason=asked["reason"], override_percent=asked["percent"],
            )  # fmt: skip
        except DomainError as refusal:
            form.add_error(None, refusal.localized(Locale.EN))
    more = {
        "quote": quote,
        "lines": [text.en for text in quote.explanation] if quote else (),
        "button": "Show the refund",
    }
    return _page(model_admin, request, booking, form, title=f"Cancel booking {booking.reference}", **more)


def refund(model_admin: ModelAdmin, request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Ask for an amount and a reason, and refund it."""
    booking = _booking(booking_id)
    form = RefundForm(request.POST or None, booking=booking, refundable=ledger.refundable(booking.id, booking.currency))
    if request.method == "POST" and form.is_valid():

        def refund_amount() -> str:
            refunds, _ = services.refund_booking(
                reference=booking.reference, amount=form.money(), staff_reason=form.cleaned_data["reason"],
                staff_id=staff_id(request), idempotency_key=form.cleaned_data["key"],
            )  # fmt: skip
            parts = f", split over {len(refunds)} payments" if len(refunds) > 1 else ""
            return f"{form.money()} will be refunded{parts}."

        if _carried_out(request, booking, form, refund_amount):
            return _back(booking)
    return _page(model_admin, request, booking, form, title=f"Refund of booking {booking.reference}", button="Refund")


def failed_refund(model_admin: ModelAdmin, request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Ask whether to retry a failed refund or to write it off, and do it."""
    booking = _booking(booking_id)
    failed = list(Refund.objects.filter(booking=booking, status=RefundStatus.FAILED, written_off_at__isnull=True))
    if not failed:
        messages.info(request, "No failed refund waits for a decision.")
        return _back(booking)
    form = FailedRefundForm(request.POST or None, refunds=failed)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        service, message = {
            "retry": (services.retry_refund, "The refund will be sent to the provider again."),
            "write_off": (services.write_off_refund, "The refund is written off: it will never be paid out."),
        }[chosen["what"]]

        def retry_or_write_off() -> str:
            service(refund_id=UUID(chosen["refund"]), staff_reason=chosen["reason"], staff_id=staff_id(request))
            return message

        if _carried_out(request, booking, form, retry_or_write_off):
            return _back(booking)
    return _page(
        model_admin, request, booking, form, title=f"Failed refund of booking {booking.reference}", button="Confirm"
    )


def _confirm(request: HttpRequest, booking: Booking, quote_id: str) -> HttpResponse:
    try:
        quote = UUID(quote_id)
    except ValueError:
        raise Http404 from None
    before = selectors.view_of(booking)
    try:
        after = services.cancel_as_staff(cancellation_quote_id=quote, staff_id=staff_id(request))
    except DomainError as refusal:
        messages.error(request, refusal.localized(Locale.EN))
        return _back(booking)
    if after.sequence == before.sequence:
        messages.info(
            request,
            f"This cancellation of booking {booking.reference} was already carried out. This click changed nothing.",
        )
        return _back(booking)
    message = _what_was_cancelled(before, after)
    _log(request, booking, message)
    messages.success(request, f"{message} The traveller will get a mail.")
    return _back(booking)


def _what_was_cancelled(before: BookingView, after: BookingView) -> str:
    if after.status == Status.CANCELLED:
        return f"Booking {after.reference} is cancelled."
    count = sum(passenger.cancelled for passenger in after.passengers) - sum(
        passenger.cancelled for passenger in before.passengers
    )
    who = "1 passenger" if count == 1 else f"{count} passengers"
    return f"{who} of booking {after.reference} {'is' if count == 1 else 'are'} cancelled."


def _carried_out(request: HttpRequest, booking: Booking, form: Form, action: Callable[[], str]) -> bool:
    """Run `action`; log and show the message that it returns.

    Return False after a refusal, which is added to the form.
    """
    try:
        message = action()
    except DomainError as refusal:
        form.add_error(None, refusal.localized(Locale.EN))
        return False
    except ValueError:
        form.add_error(None, "The amount has more decimal places than the currency.")
        return False
    _log(request, booking, message)
    messages.success(request, message)
    return True


def _log(request: HttpRequest, booking: Booking, text: str) -> None:
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk), content_type=ContentType.objects.get_for_model(Booking),
        object_id=str(booking.pk),
        object_repr=booking.reference, action_flag=CHANGE, change_message=text,
    )  # fmt: skip


def _booking(booking_id: UUID) -> Booking:
    return get_object_or_404(Booking, id=booking_id)


def _back(booking: Booking) -> HttpResponse:
    return redirect(reverse("admin:bookings_booking_change", args=[booking.pk]))


def _page(
    model_admin: ModelAdmin, request: HttpRequest, booking: Booking, form: Form, *, title: str, **more: Any
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request), "opts": Booking._meta, "original": booking, "form": form,
        "title": title, **more,
    }  # fmt: skip
    return TemplateResponse(request, PAGE, context)
