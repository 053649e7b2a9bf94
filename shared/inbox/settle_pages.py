"""The pages before staff settle dead letters: each says what will happen, and asks for a confirmation or a reason."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from shared.errors import DomainError
from shared.inbox import resolving
from shared.inbox.models import DeadLetter
from shared.text import Locale

PAGE: Final = "inbox/settle.html"
_SHOWN: Final = 20  # letters listed on the page, and refusals shown after it


class DiscardForm(forms.Form):
    """Asks for the reason of a discard."""

    reason = forms.CharField(
        max_length=resolving.MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="It is kept with your name on the page of the dead letter.",
    )


def retry(admin: ModelAdmin, request: HttpRequest, ids: Iterable[int]) -> HttpResponse | None:
    """Show what a retry of these letters would do, and do it once it is confirmed. None means that it is done."""
    chosen = list(ids)
    plan = resolving.plan(chosen)
    if "confirm" in request.POST and (plan.retries or plan.waiting):
        names = [retry.letter.id for retry in plan.retries] or chosen
        done = _each(request, names, lambda letter_id: resolving.retry(dead_letter_id=letter_id, by=str(request.user)))
        if done:
            messages.success(request, f"{_count(done, 'dead letter')} will be tried within seconds.")
        return None
    if not plan.retries and not plan.waiting:
        messages.info(request, "Nothing to retry: these events are settled, or follow by themselves.")
        return None
    return _page(
        admin, request, chosen,
        title=f"Retry {_count(len(chosen), 'dead letter')}", button="Retry", plan=plan,
        retries=plan.retries[:_SHOWN], waiting=plan.waiting[:_SHOWN],
        more=len(plan.retries) + len(plan.waiting) - min(len(plan.retries), _SHOWN) - min(len(plan.waiting), _SHOWN),
    )  # fmt: skip


def discard(admin: ModelAdmin, request: HttpRequest, ids: Iterable[int]) -> HttpResponse | None:
    """Ask for a reason, and discard these letters with it. None means that it is done."""
    chosen = list(ids)
    form = DiscardForm(request.POST if "confirm" in request.POST else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        done = _each(
            request,
            chosen,
            lambda letter_id: resolving.discard(dead_letter_id=letter_id, by=str(request.user), reason=reason),
        )
        if done:
            messages.success(request, f"{_count(done, 'dead letter')} discarded for good.")
        return None
    if form.is_bound:
        messages.error(request, resolving.ReasonRequired().localized(Locale.EN))
    listed = DeadLetter.objects.filter(id__in=chosen[:_SHOWN]).defer("value", "headers")
    return _page(
        admin, request, chosen,
        title=f"Discard {_count(len(chosen), 'dead letter')}", button="Discard for good", form=form,
        discards=[(letter, resolving.behind(letter).count()) for letter in listed],
        more=len(chosen) - min(len(chosen), _SHOWN),
    )  # fmt: skip


def _each(request: HttpRequest, ids: Iterable[int], act: Callable[[int], object]) -> int:
    """Settle each letter in a transaction of its own. Return how many were settled, and show the refusals."""
    done, refusals = 0, []
    for letter_id in sorted(ids):
        try:
            act(letter_id)
            done += 1
        except DomainError as refusal:
            refusals.append(f"{letter_id}: {refusal.localized(Locale.EN)}")
    for text in refusals[:_SHOWN]:
        messages.warning(request, text)
    if len(refusals) > _SHOWN:
        messages.warning(request, f"… and {len(refusals) - _SHOWN} more were refused.")
    return done


def _page(admin: ModelAdmin, request: HttpRequest, chosen: list[int], **context: Any) -> TemplateResponse:
    repeated = [
        (name, value)
        for name in ("action", "select_across", "index", "_selected_action")
        for value in request.POST.getlist(name)
    ]
    base = admin.admin_site.each_context(request)
    return TemplateResponse(
        request, PAGE, {**base, "opts": DeadLetter._meta, "repeated": repeated, "chosen": len(chosen), **context}
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
