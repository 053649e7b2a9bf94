"""Keeps secrets out of logs: by the name of a field, and by the form of a value in any text.

Log calls must contain only ids and amounts. This module catches mistakes; it does not allow logging personal data.
"""

import ipaddress
import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any, Final

REDACTED: Final = "[redacted]"

# Compared without case, dashes and underscores, so that firstName, first_name and First-Name are equal.
_SECRET_FIELDS: Final = frozenset(
    """
    password newpassword currentpassword oldpassword passwd secret secretkey clientsecret privatekey
    token accesstoken refreshtoken idtoken travellertoken authorization cookie setcookie csrftoken sessionid
    servicecredential xservicecredential xpaymentsignature stripesignature signature apikey
    stripeapikey stripewebhooksecret
    onetimecode recoverycode recoverycodes otp otpauthuri totp
    link links downloadurl pdfurl redirecturl paymentmethod
    email newemail to recipient recipients cc bcc phone phonenumber
    name firstname lastname fullname displayname passengers dateofbirth
    address street postcode ip ipaddress remoteaddr clientip client peer xforwardedfor forwarded useragent
    """.split()
)  # fmt: skip

_JWT = r"eyJ[\w-]{4,}\.[\w-]*(?:\.[\w-]*)?"
_REFRESH = r"\btrf_[\w-]+"
_BEARER = r"(?<=bearer )\S+"
_QUERY = r"(?<=token=)[^\s&\"'<>]+|(?<=signature=)[^\s&\"'<>]+|(?<=password=)[^\s&\"'<>]+|(?<=email=)[^\s&\"'<>]+"
_USERINFO = r"(?<=://)[^\s/@]+(?=@)"
_EMAIL = r"[^\s@\"'<>(),;:=]{1,64}+@[^\s@\"'<>(),;:=]{1,255}"
_PAYMENT_METHOD = r"\bpm_\w+"
_STRIPE = r"\b(?:sk|rk)_(?:live|test)_\w+|\bwhsec_\w+|\bpi_[a-z0-9]+_secret_\w+"
_PHONE = r"(?<![\w+])\+[1-9]\d[\d ().-]{5,16}\d\b"
_HASH = r"\$?argon2\w*\$\S+"
# PostgreSQL's message about a refused row contains the row, which may have several lines.
_DETAIL = r"(?<=DETAIL:)\s+.*?(?=\n(?:HINT|QUERY|CONTEXT|LOCATION):|\n\n(?:The above|During handling)|\Z)"
_ROW = r"(?<=failing row contains )\(.*\)|(?<=\)=)\(.*?\)(?= (?:already|is not|is still|conflicts))"
_PATTERN: Final = re.compile(
    "|".join(
        (_JWT, _REFRESH, _BEARER, _QUERY, _USERINFO, _EMAIL, _PAYMENT_METHOD, _STRIPE, _PHONE, _HASH, _DETAIL, _ROW)
    ),
    re.IGNORECASE | re.DOTALL,
)
_ADDRESS: Final = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:\.\d{1,3})*)", re.IGNORECASE
)
_NOT_IN_NAMES: Final = re.compile(r"[-_ ]")
# Each pattern needs one of these. Most values have none, so only this short pattern is searched in them.
_SIGN: Final = re.compile(r"[_ =@+$:(]|[eE][yY][jJ]|[0-9]\.")
# Limits the work for a hostile value. No honest value is longer.
_LONGEST: Final = 8_000
_DEEPEST: Final = 6


def redact(value: Any, *, depth: int = 0) -> Any:
    """Return `value` without secrets. Secret parts of texts are replaced, in mappings and sequences too.

    A text longer than 8,000 characters is cut. Numbers, booleans and None are returned as they are.
    """
    if isinstance(value, str):
        return redact_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if depth >= _DEEPEST:
        return "[…]"
    if isinstance(value, Mapping):
        return {
            redact_text(str(key)): REDACTED if is_secret(str(key)) else redact(item, depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | Set):
        return [redact(item, depth=depth + 1) for item in value]
    return redact_text(str(value))


@lru_cache(maxsize=1_000)
def is_secret(field: str) -> bool:
    """Return whether the value of a field with this name is a secret."""
    return _NOT_IN_NAMES.sub("", field).lower() in _SECRET_FIELDS


def redact_text(text: str) -> str:
    """Return `text` with tokens, addresses, phone numbers and the like replaced."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
    if not _SIGN.search(cut):
        return cut
    return _ADDRESS.sub(_address, _PATTERN.sub(REDACTED, cut))


def _address(match: re.Match[str]) -> str:
    text = match[0]
    written = text if text.endswith("::") else text.rstrip(":")
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return text
    return text if address.is_loopback or address.is_unspecified else REDACTED + text[len(written) :]
