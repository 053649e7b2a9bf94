"""What a password may be: long enough, not a common one, and not made of what everybody knows of the person."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from shared.errors import Invalid
from shared.text import Text

PASSWORD_LENGTH: Final = (10, 128)  # characters in NFKC
_LONGEST_TYPED: Final = 4 * PASSWORD_LENGTH[1]  # code points that are worth normalising
_FEWEST_DIFFERENT: Final = 4  # characters
_SHORTEST_WORD: Final = 3  # letters; shorter ones are in too many other words
_LEET: Final = str.maketrans("@$01345", "asoleas")


class WeakPassword(Invalid):
    """The password is too short, too long, too common, or made of the person's own data."""

    code = "WEAK_PASSWORD"
    text = Text(
        en="A password has 10 to 128 characters. It is not a common one, and not made of your name or your address.",
        fr="Un mot de passe compte de 10 à 128 caractères. Il n’est ni courant, ni formé de votre nom ou adresse.",
    )


def check_password_strength(password: str, *, email: str, names: Iterable[str], common: frozenset[str]) -> None:
    """Raise WeakPassword unless the password keeps the rule: its length, `common`, and the person's own data.

    `names` are the person's names. Case, accents, and digits or signs around a word make no difference.
    """
    if not _has_right_length(password):
        raise WeakPassword(field="password")
    plain = unicodedata.normalize("NFKC", password).casefold()
    if _is_simple(plain) or _is_common(plain, common) or _is_personal(plain, _words_of(email, names), common):
        raise WeakPassword(field="password")


def _has_right_length(password: str) -> bool:
    """Return whether it has the right length in NFKC. A few characters that stand for many, such as U+FDFA, do not."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(password) <= _LONGEST_TYPED:
        return False
    return shortest <= len(unicodedata.normalize("NFKC", password)) <= longest


def _is_simple(plain: str) -> bool:
    """Return whether few characters repeat, or each one follows from the one before, as in 0123456789."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return len(set(plain)) < _FEWEST_DIFFERENT or len(steps) == 1


def _is_common(plain: str, common: frozenset[str]) -> bool:
    """Return whether the password is a common one, perhaps between digits and signs or with signs for letters."""
    word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    return not common.isdisjoint({plain, word, word.translate(_LEET), plain.translate(_LEET)})


def _is_personal(plain: str, words: Iterable[str], common: frozenset[str]) -> bool:
    """Return whether hardly anything but digits, signs and a common word is left beside the person's own words."""
    rest = squeezed = _squeezed(plain)
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    left = "".join(filter(str.isalpha, rest))
    return rest != squeezed and (len(left) < _FEWEST_DIFFERENT or left in common)


def _words_of(email: str, names: Iterable[str]) -> set[str]:
    """Return the words that everybody knows of the person: address and names, whole, in parts and joined."""
    local, _, domain = email.partition("@")
    names = list(names)
    parts = [part for text in (local, *names) for part in re.split(r"[\W_]+", text)]
    known = [email, local, domain, *domain.split(".")[:-1], *parts, "".join(names), "".join(reversed(names))]
    squeezed = {_squeezed(word) for word in known}
    words = squeezed | {word.strip("0123456789") for word in squeezed}
    return {word for word in words if len(word) >= _SHORTEST_WORD}


def _squeezed(text: str) -> str:
    """Return only the letters and digits, without accents and case."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", decomposed)))
