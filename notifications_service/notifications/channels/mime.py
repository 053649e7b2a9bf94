"""The bytes of a mail: text, HTML and the calendar, if any, as alternatives; then the attachments.

Python's `email` parses and folds each header and body line in Python, and takes a third of the time of a whole mail. So
it is used only for the headers with foreign text. Everything else has a fixed form. Lines end with CRLF.
"""

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.policy import SMTP
from email.utils import encode_rfc2231, format_datetime
from functools import cache
from typing import Final

from django.conf import settings

from notifications_service.notifications.channels.smtp import DOMAIN

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_POLICIES: Final = {False: SMTP, True: SMTP.clone(utf8=True)}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: its name, its media subtype (application/…) and its content."""

    name: str
    subtype: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A whole mail. Its Message-ID is made of `key`, so that the same notification always has the same one."""

    key: str
    to: str
    subject: str
    text: str
    html: str
    language: str
    date: datetime
    attachments: Sequence[Attachment] = ()
    calendar: bytes = b""
    calendar_method: str = ""
    trace_id: str = ""


def message_id(key: str) -> str:
    """Return the Message-ID of the notification `key`."""
    return f"<{key}@{DOMAIN}>"


def build(mail: Mail) -> bytes:
    """Return `mail` as MIME. The same mail gives the same bytes. An international address stays UTF-8.

    Raises ValueError for a line break in a header.
    """
    is_international = not mail.to.isascii()
    headers = [
        _header("Message-ID", message_id(mail.key)),
        _header("Date", format_datetime(mail.date)),
        _foreign("From", settings.DEFAULT_FROM_EMAIL, is_international),
        _folded("To", mail.to, is_international),
        _subject(mail.subject),
        _header("Auto-Submitted", "auto-generated"),
        _header("X-Trace-Id", mail.trace_id) if mail.trace_id else b"",
        _header("MIME-Version", "1.0"),
        _header("Content-Language", mail.language),
    ]
    alternatives = [_words("plain", mail.text), _words("html", mail.html)]
    files = []
    if mail.calendar:
        kind = f'text/calendar; charset="utf-8"; method="{mail.calendar_method}"'
        alternatives.append(_encoded(kind, mail.calendar))
        files.append(_file("trip.ics", "ics", mail.calendar))
    files += [_file(file.name, file.subtype, file.content) for file in mail.attachments]
    body = _multipart("alternative", mail.key, alternatives)
    if files:
        body = _multipart("mixed", mail.key, [body, *files])
    return b"".join(headers) + body


def _header(name: str, value: str) -> bytes:
    if "\r" in value or "\n" in value:
        raise ValueError(f"a line break in {name}")
    return f"{name}: {value}\r\n".encode("ascii")


@cache
def _foreign(name: str, value: str, is_international: bool) -> bytes:
    return _folded(name, value, is_international)


def _folded(name: str, value: str, is_international: bool) -> bytes:
    """Return the header, encoded if it is not ASCII, and folded. Raises ValueError for a line break."""
    policy = _POLICIES[is_international]
    return policy.fold_binary(*policy.header_store_parse(name, value))


def _subject(text: str) -> bytes:
    """Return the header. `email.policy` loses spaces of a subject that takes several lines, so this is `Header`'s."""
    if "\r" in text or "\n" in text:
        raise ValueError("a line break in Subject")
    charset = "us-ascii" if text.isascii() else "utf-8"
    folded = Header(text, charset, header_name="Subject").encode(linesep="\r\n")
    return f"Subject: {folded}\r\n".encode()


def _words(subtype: str, text: str) -> bytes:
    lines = b"\n".join(text.encode().splitlines()) + b"\n"
    body = b2a_qp(lines).replace(b"\n", b"\r\n")
    kind = f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
    return f"{kind}Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode() + body


def _file(name: str, subtype: str, content: bytes) -> bytes:
    named = f'filename="{name}"' if _PLAIN_NAME.fullmatch(name) else f"filename*={encode_rfc2231(name, 'utf-8')}"
    return _encoded(f"application/{subtype}", content, f"Content-Disposition: attachment; {named}\r\n")


def _encoded(kind: str, content: bytes, disposition: str = "") -> bytes:
    headers = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{disposition}\r\n"
    return headers.encode() + encodebytes(content).replace(b"\n", b"\r\n")


def _multipart(subtype: str, key: str, parts: Sequence[bytes]) -> bytes:
    """Return the parts between boundaries. None can contain `=_`, because both encodings write `=` differently."""
    boundary = f"=_{subtype}.{key}".encode()
    begin = b"--" + boundary + b"\r\n"
    head = b"Content-Type: multipart/" + subtype.encode() + b'; boundary="' + boundary + b'"\r\n\r\n'
    return head + b"".join(begin + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
