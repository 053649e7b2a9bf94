"""Names of people: letters of any script are allowed, and markup, control characters and hidden marks are not.

Names stand in our mails, and mail clients turn `www.evil.com` into a link. So a name never looks like a domain.
"""

import re
import unicodedata
from typing import Final

from shared.errors import Invalid
from shared.text import Text

MAX_LENGTH: Final = 150
_PUNCTUATION: Final = frozenset(" '’.,·-‐–")
# Letters and marks that are shown as nothing: the fillers of Hangul, and the combining grapheme joiner.
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f")
# The only other characters that domains are joined by are no letters, so no name contains them: @ / : and the full
# stops of East Asia.
_LABEL: Final = re.compile(r"(?<=[^ .])\.([^ .]+)")


class InvalidName(Invalid):
    """The name is empty, too long, looks like a link, or contains characters that no name has."""

    code = "INVALID_NAME"
    text = Text(
        en="A name has 1 to 150 letters, spaces, apostrophes, hyphens or points, with a space after each point.",
        fr="Un nom compte de 1 à 150 lettres, espaces, apostrophes, traits d’union ou points, suivis d’une espace.",
    )


def clean_name(name: str, *, field: str) -> str:
    """Return `name` in the form that is stored: NFC, without outer spaces. Raises InvalidName, which names `field`."""
    cleaned = unicodedata.normalize("NFC", name).strip(" ")
    if not 0 < len(cleaned) <= MAX_LENGTH or not all(map(_allowed, cleaned)) or not any(map(str.isalpha, cleaned)):
        raise InvalidName(field=field)
    if _looks_like_a_domain(cleaned):
        raise InvalidName(field=field)
    return cleaned


def _looks_like_a_domain(name: str) -> bool:
    """Return whether a point joins two words. Initials such as `J.R.` are not words: no domain ends in one letter."""
    return any(sum(map(str.isalpha, label)) > 1 for label in _LABEL.findall(name))


def _allowed(character: str) -> bool:
    if character in _INVISIBLE:
        return False
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "LM"
