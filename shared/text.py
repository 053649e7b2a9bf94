"""Text in the languages of the platform: the type that refusals, history entries and mails use."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Locale(StrEnum):
    """A language of the platform."""

    EN = "EN"
    FR = "FR"


DEFAULT_LOCALE = Locale.EN


@dataclass(frozen=True, slots=True)
class Text:
    """One message in every language, with a `{name}` placeholder for each parameter."""

    en: str
    fr: str

    def in_(self, locale: Locale) -> str:
        """Return the message in `locale`, with its placeholders."""
        return self.fr if locale is Locale.FR else self.en

    def format(self, locale: Locale, params: Mapping[str, object]) -> str:
        """Return the message in `locale`, filled from `params`."""
        return self.in_(locale).format_map(params)

    def filled(self, **params: object) -> "Text":
        """Return the text, filled in every language."""
        return Text(en=self.en.format_map(params), fr=self.fr.format_map(params))


def locale_of(tag: str | None) -> Locale | None:
    """Return the locale of a language tag (`fr`, `fr-CA`, `FR`), or None if the platform does not have the language."""
    primary = (tag or "").strip().replace("_", "-").split("-", 1)[0].upper()
    return Locale(primary) if primary in Locale.__members__ else None


def negotiate(accept_language: str | None) -> Locale | None:
    """Return the preferred locale of an Accept-Language header, or None."""
    weighted: list[tuple[float, Locale]] = []
    for part in (accept_language or "")[:500].split(","):
        tag, _, quality = part.partition(";")
        if locale := locale_of(tag):
            try:
                weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
            except ValueError:
                continue
            if 0 < weight <= 1:
                weighted.append((weight, locale))
    return max(weighted, key=lambda pair: pair[0])[1] if weighted else None
