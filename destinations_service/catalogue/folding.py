"""The one normalisation of search: names in the index and words that people type are folded by the same function."""

import unicodedata
from typing import Final

# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS: Final = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t",
        "ĸ": "k", "ə": "e", "ß": "ss",
    }
)  # fmt: skip
_JOINERS: Final = {"\u200b", "\u200c", "\u200d", "\u00ad"}  # invisible, inside words


def fold(text: str) -> str:
    """Return the words of `text`, separated by single spaces: lower case, without accents and punctuation.

    The result is empty if `text` has no letter and no digit. An apostrophe separates words: "L'Aquila" is two words.
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return " ".join("".join(map(_folded, plain)).split())


def words_of(text: str) -> list[str]:
    """Return the distinct folded words of `text`, in their order."""
    return list(dict.fromkeys(fold(text).split()))


def _folded(character: str) -> str:
    if character.isalnum():
        return character
    is_mark = unicodedata.category(character).startswith("M")
    return "" if is_mark or character in _JOINERS else " "
