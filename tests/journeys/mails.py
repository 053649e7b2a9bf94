"""Read the mails that the platform sent from its Maildir."""

import email
import email.policy
import os
import re
from email.message import EmailMessage
from pathlib import Path

from shared.testing import eventually
from tests.journeys.api import address
from tests.journeys.planted import Kind, plant


def to(recipient: str) -> list[EmailMessage]:
    """Return the mails sent to `recipient`, oldest first."""
    folder = Path(os.environ.get("MAILDIR") or Path(address("TRAVEL_VAR")) / "mail")
    files = sorted(
        (path for part in ("new", "cur") for path in (folder / part).glob("*")), key=lambda p: p.stat().st_mtime_ns
    )
    mails = (email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files)
    return [mail for mail in mails if recipient in str(mail["To"])]


def wait_for(recipient: str, *, containing: str = "", attached: str = "", timeout: float = 30) -> EmailMessage:
    """Return the newest mail to `recipient` with `containing` in subject or text, and an attachment of type `attached`."""

    def newest_match() -> EmailMessage | None:
        for mail in reversed(to(recipient)):
            has_text = containing.lower() in (str(mail["Subject"]) + text(mail)).lower()
            if has_text and (not attached or attachments(mail, attached)):
                return mail
        return None

    mail = eventually(newest_match, timeout=timeout, every=0.1)
    assert mail is not None
    return mail


def text(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body else ""


def html(mail: EmailMessage) -> str:
    """Return the HTML of a mail."""
    body = mail.get_body(("html",))
    return str(body.get_content()) if body else ""


def token(mail: EmailMessage) -> str:
    """Return the token of the link in a mail."""
    match = re.search(r"[?&]token=([\w.~%-]+)", text(mail))
    assert match, text(mail)
    return plant(Kind.LINK, match[1])


def link(mail: EmailMessage) -> str:
    """Return the address of the page that the mail's secret link opens."""
    match = re.search(r"https?://\S+[?&]token=[\w.~%-]+", text(mail))
    assert match, text(mail)
    return match[0]


def attachments(mail: EmailMessage, content_type: str) -> list[bytes]:
    """Return every part of the mail that has this content type."""
    parts = []
    for part in mail.walk():
        if part.get_content_type() == content_type:
            payload = part.get_payload(decode=True)
            parts.append(payload if isinstance(payload, bytes) else b"")
    return parts
