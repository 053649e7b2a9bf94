"""Two editors of one object: the later one sees what the earlier one has saved, and nothing is lost.

    class PlaceAdmin(VersionedAdmin): ...         # form = VersionedForm, or a form that inherits it

The page carries the version that it shows in a hidden field. If the object has another version when the page comes
back, nothing is saved. The page is shown again with everything that the editor has written, and a table of each value
that differs: what the editor has written, and what is stored now. To save again replaces what is stored.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import messages
from django.db import connection, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from destinations_service.catalogue import services
from shared.errors import DomainError
from shared.telemetry import current_locale
from shared.text import Text

if TYPE_CHECKING:

    class BaseForm(forms.ModelForm[Any]):
        def _post_clean(self) -> None: ...  # a hook of Django's forms that the stubs omit

else:
    BaseForm = forms.ModelForm

SEEN: Final = "seen_version"
CHANGED: Final = Text(
    en="Somebody saved a change after you opened this page. Nothing of yours is saved yet. The table shows both values:"
    " keep yours below or copy the stored one, then save again.",
    fr="Quelqu’un a enregistré une modification après l’ouverture de cette page. Rien de votre saisie n’est encore"
    " enregistré. Le tableau montre les deux valeurs : gardez la vôtre ou reprenez l’autre, puis enregistrez.",
)
_WORDS: Final = {
    "title": Text(
        en="What differs between your page and what is stored now",
        fr="Ce qui diffère entre votre page et ce qui est enregistré",
    ),
    "field": Text(en="Field", fr="Champ"),
    "yours": Text(en="You wrote", fr="Votre saisie"),
    "stored": Text(en="Stored now", fr="Enregistré"),
    "nothing": Text(
        en="Nothing: what is stored now is what you wrote.", fr="Rien : votre saisie est ce qui est enregistré."
    ),
    "discard": Text(
        en="Discard what you wrote and open the page again", fr="Abandonner votre saisie et rouvrir la page"
    ),
}
_EMPTY: Final = "—"


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that the editor has written, and the one that is stored now."""

    label: str
    yours: str
    stored: str


class VersionedForm(BaseForm):
    """A form that refuses to save if its object has another version than the page showed.

    A form without the hidden field names no version, and saves.
    """

    is_stale = False

    def clean(self) -> dict[str, Any] | None:
        """Return the values. Adds an error of the whole form if the object has changed."""
        cleaned: dict[str, Any] | None = super().clean()
        seen = self.data.get(SEEN, "")
        if not self.instance._state.adding and seen and seen != str(self.instance.version):
            self.is_stale = True
            self.add_error(None, CHANGED.in_(current_locale()))
        return cleaned

    def refuse(self, refusal: DomainError) -> None:
        """Show a refusal of a service at the field that it names, or above the form."""
        name = re.sub("([A-Z])", r"_\1", refusal.field or "").lower()
        name = name if name in self.fields else name.removesuffix("_id")
        self.add_error(name if name in self.fields else None, refusal.localized(current_locale()))

    def seen_versions(self) -> frozenset[int] | None:
        """Return the version that the page showed, for a service that checks it under its own lock. None: any."""
        seen = self.data.get(SEEN, "")
        return frozenset({int(seen)} if seen.isascii() and seen.isdecimal() else ()) if seen else None


class VersionedAdmin(ModelAdmin):
    """A page whose saves are refused if the object has changed since the page was opened."""

    form = VersionedForm
    change_form_before_template = "catalogue/versioned.html"
    # Whether a save holds the row's lock from its first read on. If not, the service must check the version itself.
    locks_row = True

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the object. Of two saves at once the second waits for the first, then reads what that has saved."""
        row = super().get_object(request, object_id, from_field)
        if row is None or not (self.locks_row and request.method == "POST" and connection.in_atomic_block):
            return row
        services.lock_version(row)
        return super().get_object(request, object_id, from_field)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer the page. A refusal that only the write itself could find undoes everything and is shown."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            messages.error(request, refusal.localized(current_locale()))
            return HttpResponseRedirect(request.get_full_path())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: models.Model | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Show the page, with its version and with the differences of a refused save."""
        form = context["adminform"].form
        context["seen_version"] = getattr(obj, "version", "")
        if getattr(form, "is_stale", False):
            context["stale"] = True
            context["words"] = {name: text.in_(current_locale()) for name, text in _WORDS.items()}
            context["differences"] = list(_differences(form, context["inline_admin_formsets"]))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


def _differences(form: forms.BaseForm, inlines: Any) -> Iterator[Difference]:
    yield from _of_form(form, "")
    for inline in inlines:
        for row in inline.formset.forms:
            where = f"{inline.opts.verbose_name}, {row.instance}: "
            if row in inline.formset.deleted_forms:
                yield Difference(where.removesuffix(": "), "removed", "kept")
            elif not row.instance._state.adding:
                yield from _of_form(row, where)


def _of_form(form: forms.BaseForm, where: str) -> Iterator[Difference]:
    for bound in form:
        # Not `changed_data`: for a field with a default it compares with what the page showed when it was opened.
        if bound.field.disabled or not bound.field.has_changed(bound.initial, bound.data):
            continue
        yours, stored = _shown(bound.field, bound.data), _shown(bound.field, bound.initial)
        if yours != stored and not bound.is_hidden:
            yield Difference(f"{where}{bound.label}", yours, stored)


def _shown(field: forms.Field, value: Any) -> str:
    """Return a value of a form as people read it."""
    if value in (None, "", []):
        return _EMPTY
    if isinstance(field, forms.ModelChoiceField):
        row = field.queryset.filter(pk=value).first() if field.queryset is not None else None
        return str(row or value)
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) if isinstance(field, forms.MultiValueField) else ", ".join(map(str, value))
    return str(field.prepare_value(value))
