"""Email addresses: which are valid, and the one text that stands for every spelling of an address."""

import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from shared.errors import Invalid
from shared.text import Text

# Scripts that are written together. Any other mixture in a label imitates another domain.
_WRITTEN_TOGETHER: Final = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


class InvalidEmail(Invalid):
    """The text is not a valid email address."""

    code = "INVALID_EMAIL"
    text = Text(en="This is not a valid email address.", fr="Cette adresse électronique n’est pas valide.")


def clean_email(email: str) -> str:
    """Return the address in the form that is stored, in ASCII and lower case. Raises InvalidEmail.

    Case, NFKC form, outer spaces, and the Unicode or punycode spelling of a domain make no difference. A local part
    beyond ASCII or a domain of mixed scripts is refused, because it can imitate another address. So are quoted local
    parts, IP addresses, and names without a dot.
    """
    typed = unicodedata.normalize("NFKC", email[:1_000]).strip()
    local, at, domain = typed.rpartition("@")
    if not local.isascii():  # before lower(), which makes ASCII of some letters
        raise InvalidEmail(field="email")
    if "=?" in local:  # mail software decodes it in a header, so the mail would name another recipient
        raise InvalidEmail(field="email")
    try:
        address = validate_email(
            f"{local.lower()}{at}{domain}", check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        raise InvalidEmail(field="email") from None
    if address.ascii_email is None or any(map(_mixes_scripts, address.domain.split("."))):
        raise InvalidEmail(field="email")
    return address.ascii_email


def fold(email: str) -> str:
    """Return the address as `clean_email` does, or an empty text, which no account has, if it is not valid."""
    try:
        return clean_email(email)
    except InvalidEmail:
        return ""


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in label if letter.isalpha()}
    return len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER)
