"""Staff's reasons: every action of theirs has one, kept beside what it did."""

import unicodedata
from typing import Final

from shared.errors import Invalid
from shared.text import Text

MOST_CHARACTERS: Final = 300


class ReasonRequired(Invalid):
    """Staff gave no reason, or one that is no line of text."""

    text = Text(
        en="Give a reason: one line of at most 300 characters.",
        fr="Indiquez un motif : une ligne de 300 caractères au plus.",
    )


def clean_note(text: str) -> str:
    """Return the reason without blanks around it. Raises ReasonRequired."""
    note = text.strip()
    if not 0 < len(note) <= MOST_CHARACTERS or any(unicodedata.category(one)[0] == "C" for one in note):
        raise ReasonRequired(field="reason")
    return note
