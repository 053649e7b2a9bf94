"""The one normalisation of search: names in the index and words that people type are folded by the same function."""

import unicodedata
from typing import Final

# Letters that Unicode does not decompose into a base letter and an accent.
_LETTERS: Final = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t",
    "ĸ": "k", "ə": "e", "ß": "ss",
}  # fmt: skip
_JOINERS: Final = {"\u200b", "\u200c", "\u200d", "\u00ad"}  # invisible, inside words
_MOST_KEPT: Final = 0x3000  # characters below it are of alphabets. The others would only fill the memory.


class _Folded(dict[int, str]):
    """What each decomposed character becomes. `str.translate` asks for a character once, and finds it from then on."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if code < _MOST_KEPT:
            self[code] = folded
        return folded


def _folded(character: str) -> str:
    if character.isalnum():
        lower = character.casefold()
        return _LETTERS.get(lower, lower)
    is_mark = unicodedata.category(character).startswith("M")
    return "" if is_mark or character in _JOINERS else " "


_TABLE: Final = _Folded()


def fold(text: str) -> str:
    """Return the words of `text`, separated by single spaces: lower case, without accents and punctuation.

    The result is empty if `text` has no letter and no digit. An apostrophe separates words: "L'Aquila" is two words.
    """
    return " ".join(unicodedata.normalize("NFKD", text.casefold()).translate(_TABLE).split())


def words_of(text: str) -> list[str]:
    """Return the distinct folded words of `text`, in their order."""
    return list(dict.fromkeys(fold(text).split()))
