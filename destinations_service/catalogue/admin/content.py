"""Forms of what trips contain and of opening hours, below the pages of trips and places."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from unfold.admin import StackedInline, TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from destinations_service.catalogue.models import ItineraryDay, ItineraryDayTranslation, OpeningHours
from shared.telemetry import current_locale
from shared.text import Text

if TYPE_CHECKING:
    BaseForm = forms.ModelForm[ItineraryDay]
    BaseFormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    BaseForm, BaseFormSet = forms.ModelForm, forms.BaseInlineFormSet

_AFTER_THE_END: Final = Text(
    en="Day {day} is after the end: the trip has {days} days. Use 1 to {days}, or make the trip longer.",
    fr="Le jour {day} est après la fin : le voyage a {days} jours. Utilisez 1 à {days}, ou allongez le voyage.",
)
_OVERLAP: Final = Text(
    en="On weekday {day}, {first} to {last} overlaps another time. Write times of one day that do not overlap.",
    fr="Le jour {day}, {first} à {last} chevauche un autre horaire. Écrivez des horaires sans chevauchement.",
)
_CLOSES_FIRST: Final = Text(
    en="It closes at {closes}, before or when it opens. Write a time after {opens}; for a time after midnight, write"
    " 23:59 and a second row on the next day.",
    fr="La fermeture ({closes}) précède l’ouverture. Écrivez une heure après {opens} ; après minuit, écrivez 23:59 et"
    " une deuxième ligne le jour suivant.",
)


class LinesField(SimpleArrayField):
    """A list of texts, one a line. The usual form separates texts by commas, which they may contain."""

    def __init__(self, base_field: forms.Field, **kwargs: Any) -> None:
        super().__init__(base_field, **{**kwargs, "delimiter": "\n"})

    def to_python(self, value: Any) -> Any:
        """Return the lines that are not empty."""
        if isinstance(value, str):
            value = "\n".join(line.strip() for line in value.splitlines() if line.strip())
        return super().to_python(value)


LINES: Final = {ArrayField: {"form_class": LinesField, "widget": UnfoldAdminTextareaWidget}}


class ItineraryDayForm(BaseForm):
    """A day, with its texts in both languages."""

    title_en = forms.CharField(label="title, English", max_length=150, widget=UnfoldAdminTextInputWidget)
    title_fr = forms.CharField(label="title, French", max_length=150, widget=UnfoldAdminTextInputWidget)
    description_en = forms.CharField(
        label="description, English", max_length=3_000, required=False, widget=UnfoldAdminTextareaWidget,
        help_text="Markdown. HTML is removed.",
    )  # fmt: skip
    description_fr = forms.CharField(
        label="description, French", max_length=3_000, required=False, widget=UnfoldAdminTextareaWidget,
        help_text="Markdown. HTML is removed.",
    )  # fmt: skip

    class Meta:
        model = ItineraryDay
        fields = ("day", "destination")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for text in self.instance.translations.all():
                for name in ("title", "description"):
                    key = f"{name}_{text.language.lower()}"
                    if key in self.fields:
                        self.initial[key] = getattr(text, name)

    def save_texts(self) -> None:
        """Write the texts of a saved day."""
        for language in ("en", "fr"):
            ItineraryDayTranslation.objects.update_or_create(
                itinerary_day=self.instance,
                language=language.upper(),
                defaults={name: self.cleaned_data[f"{name}_{language}"] for name in ("title", "description")},
            )


class ItineraryFormSet(BaseFormSet):
    """The days of one trip: none after its end."""

    def clean(self) -> None:
        """Refuse a day after the trip's end."""
        super().clean()
        days = self.instance.duration_days
        for form in self.forms:
            day = getattr(form, "cleaned_data", {}).get("day")
            if day and days and day > days and form not in self.deleted_forms:
                form.add_error("day", _AFTER_THE_END.format(current_locale(), {"day": day, "days": days}))

    def save_new(self, form: Any, commit: bool = True) -> Any:
        """Save a new day with its texts."""
        row = super().save_new(form, commit=commit)
        return self._with_texts(form, row, commit=commit)

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        """Save a changed day with its texts."""
        row = super().save_existing(form, obj, commit=commit)
        return self._with_texts(form, row, commit=commit)

    def _with_texts(self, form: Any, row: Any, *, commit: bool) -> Any:
        if commit:
            form.save_texts()
        return row


class ItineraryDayInline(StackedInline):
    """The itinerary: one form a day."""

    model = ItineraryDay
    form = ItineraryDayForm
    formset = ItineraryFormSet
    autocomplete_fields = ("destination",)
    fields = (("day", "destination"), ("title_en", "title_fr"), ("description_en", "description_fr"))
    extra = 0
    tab = True


class OpeningHoursFormSet(BaseFormSet):
    """The opening hours of one place: none overlaps another."""

    def clean(self) -> None:
        """Refuse a time that closes before it opens, and times that overlap."""
        super().clean()
        rows = []
        for form in self.forms:
            given = getattr(form, "cleaned_data", {})
            if form in self.deleted_forms or not all(given.get(name) for name in ("weekday", "opens", "closes")):
                continue
            rows.append((given["weekday"], given["opens"], given["closes"]))
            if given["closes"] <= given["opens"]:  # an error at a field removes its value
                times = {name: given[name].strftime("%H:%M") for name in ("opens", "closes")}
                form.add_error("closes", _CLOSES_FIRST.format(current_locale(), times))
        for (day, _, until), (other, opens, closes) in pairwise(sorted(rows)):
            if day == other and opens < until:
                times = {"day": day, "first": f"{opens:%H:%M}", "last": f"{closes:%H:%M}"}
                raise ValidationError(_OVERLAP.format(current_locale(), times))


class OpeningHoursInline(TabularInline):
    """Opening hours."""

    model = OpeningHours
    formset = OpeningHoursFormSet
    extra = 0
    tab = True
