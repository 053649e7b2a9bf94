"""The pages on which staff act: a form with a reason, then the same service as the API's. A refusal is said on the page."""

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
from bookings_service.bookings.models import Booking
from bookings_service.bookings.services import refund_booking, retry_refund, write_off_refund
from bookings_service.payments import ledger
from bookings_service.payments.domain import RefundStatus
from bookings_service.payments.models import Refund
from shared.auth.staff import staff_id
from shared.errors import DomainError
from shared.text import Locale

PAGE = "bookings/admin/act.html"


def cancel(model_admin: ModelAdmin, request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Ask whom and why, show what comes back, and cancel as shown."""
    booking = _booking(booking_id)
    if quote_id := request.POST.get("confirm"):
        return _confirm(request, booking, quote_id)
    form = CancelForm(request.POST or None, booking=booking)
    quote = None
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            quote = services.quote_cancellation_as_staff(
                reference=booking.reference, passenger_ids=[UUID(one) for one in asked["passengers"]],
                staff_id=staff_id(request), reason=asked["reason"], override_percent=asked["percent"],
            )  # fmt: skip
        except DomainError as refusal:
            form.add_error(None, refusal.localized(Locale.EN))
    more = {
        "quote": quote,
        "lines": [line.en for line in quote.explanation] if quote else (),
        "button": "Show what comes back",
    }
    return _page(model_admin, request, booking, form, title=f"Cancel booking {booking.reference}", **more)


def refund(model_admin: ModelAdmin, request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Ask how much and why, and give it back."""
    booking = _booking(booking_id)
    form = RefundForm(request.POST or None, booking=booking, left=ledger.refundable(booking.id, booking.currency))
    if request.method == "POST" and form.is_valid():

        def give() -> str:
            refunds, _ = refund_booking(
                reference=booking.reference, amount=form.money(), reason=form.cleaned_data["reason"],
                staff_id=staff_id(request), idempotency_key=form.cleaned_data["key"],
            )  # fmt: skip
            return f"{form.money()} is on its way back ({len(refunds)} refund{'s' if len(refunds) > 1 else ''})."

        if _did(request, booking, form, give):
            return _back(booking)
    return _page(model_admin, request, booking, form, title=f"Refund of booking {booking.reference}", button="Refund")


def failed_refund(model_admin: ModelAdmin, request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """Ask what becomes of a refund that failed, and do it."""
    booking = _booking(booking_id)
    failed = list(Refund.objects.filter(booking=booking, status=RefundStatus.FAILED, written_off_at__isnull=True))
    if not failed:
        messages.info(request, "No refund of this booking has failed.")
        return _back(booking)
    form = FailedRefundForm(request.POST or None, refunds=failed)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        act, done = {
            "retry": (retry_refund, "The provider is asked again."),
            "write_off": (write_off_refund, "The refund is written off."),
        }[asked["what"]]

        def end() -> str:
            act(refund_id=UUID(asked["refund"]), reason=asked["reason"], staff_id=staff_id(request))
            return done

        if _did(request, booking, form, end):
            return _back(booking)
    return _page(
        model_admin, request, booking, form, title=f"Failed refund of booking {booking.reference}", button="Do it"
    )


def _confirm(request: HttpRequest, booking: Booking, quote_id: str) -> HttpResponse:
    try:
        quote = UUID(quote_id)
    except ValueError:
        raise Http404 from None
    before = booking.sequence
    try:
        after = services.cancel_as_staff(cancellation_quote_id=quote, staff_id=staff_id(request))
    except DomainError as refusal:
        messages.error(request, refusal.localized(Locale.EN))
        return _back(booking)
    if after.sequence > before:
        _log(request, booking, "Cancelled by staff.")
    messages.success(request, f"Booking {booking.reference} is {after.status.lower()}; the traveller is told.")
    return _back(booking)


def _did(request: HttpRequest, booking: Booking, form: Form, act: Callable[[], str]) -> bool:
    """Do it and say so; a refusal stands on the form."""
    try:
        said = act()
    except (DomainError, ValueError) as refusal:
        text = refusal.localized(Locale.EN) if isinstance(refusal, DomainError) else "This is finer than the currency."
        form.add_error(None, text)
        return False
    _log(request, booking, said)
    messages.success(request, said)
    return True


def _log(request: HttpRequest, booking: Booking, text: str) -> None:
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk), content_type=ContentType.objects.get_for_model(Booking), object_id=str(booking.pk),
        object_repr=booking.reference, action_flag=CHANGE, change_message=text,
    )  # fmt: skip


def _booking(booking_id: UUID) -> Booking:
    return get_object_or_404(selectors.bookings(), id=booking_id)


def _back(booking: Booking) -> HttpResponse:
    return redirect(reverse("admin:bookings_booking_change", args=[booking.pk]))


def _page(
    model_admin: ModelAdmin, request: HttpRequest, booking: Booking, form: Form, *, title: str, **more: Any
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request), "opts": Booking._meta, "original": booking, "form": form, "title": title, **more,
    }  # fmt: skip
    return TemplateResponse(request, PAGE, context)
