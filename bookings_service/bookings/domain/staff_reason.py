"""The reason that staff type for each action.

It is stored with the action, in the column `note`, so that other staff can see later why the action was done.
"""

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


def clean_staff_reason(text: str) -> str:
    """Return the reason without surrounding blanks. Raises ReasonRequired."""
    reason = text.strip()
    if not 0 < len(reason) <= MOST_CHARACTERS or any(unicodedata.category(letter)[0] == "C" for letter in reason):
        raise ReasonRequired(field="reason")
    return reason
