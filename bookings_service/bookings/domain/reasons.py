"""The reason that staff give for each action. It is stored with the action, for the audit."""

import unicodedata
from typing import Final

from shared.errors import Invalid
from shared.text import Text

MOST_CHARACTERS: Final = 300


class ReasonRequired(Invalid):
    """Staff gave no reason, or the reason is not one line of text."""

    text = Text(
        en="Give a reason: one line of at most 300 characters.",
        fr="Indiquez un motif : une ligne de 300 caractères au plus.",
    )


def clean_note(text: str) -> str:
    """Return the reason without surrounding blanks. Raises ReasonRequired."""
    note = text.strip()
    if not 0 < len(note) <= MOST_CHARACTERS or any(unicodedata.category(character)[0] == "C" for character in note):
        raise ReasonRequired(field="reason")
    return note
