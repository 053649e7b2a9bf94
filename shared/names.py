"""Names of people: letters of any script are allowed, and markup, control characters and hidden marks are not."""

import unicodedata
from typing import Final

from shared.errors import Invalid
from shared.text import Text

MAX_LENGTH: Final = 150
_PUNCTUATION: Final = frozenset(" '’.,·-‐–")


class InvalidName(Invalid):
    """The name is empty, too long, or contains characters that no name has."""

    code = "INVALID_NAME"
    text = Text(
        en="A name has 1 to 150 letters, spaces, apostrophes, hyphens or points.",
        fr="Un nom compte de 1 à 150 lettres, espaces, apostrophes, traits d’union ou points.",
    )


def clean_name(name: str, *, field: str) -> str:
    """Return `name` in the form that is stored: NFC, without outer spaces. Raises InvalidName, which names `field`."""
    cleaned = unicodedata.normalize("NFC", name).strip(" ")
    if not 0 < len(cleaned) <= MAX_LENGTH or not all(map(_allowed, cleaned)) or not any(map(str.isalpha, cleaned)):
        raise InvalidName(field=field)
    return cleaned


def _allowed(character: str) -> bool:
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "LM"
