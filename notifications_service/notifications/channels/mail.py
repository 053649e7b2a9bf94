"""Mail over SMTP, with one connection per worker thread that stays open between mails.

`send` returns when the server has answered 250: the server is then responsible for the mail. Only the headers set here
are sent. A line break in a header is an error, before anything is sent.
"""

import smtplib
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

from django.conf import settings

_IDLE_SECONDS: Final = 30.0
_DOMAIN: Final = "travel.example"


class MailRefused(Exception):
    """The server will never accept this mail for this address."""


class MailServerUnavailable(Exception):
    """The server cannot be reached, or answered that it may accept the mail later."""


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


def message_id(key: str) -> str:
    """Return the Message-ID of the notification `key`."""
    return f"<{key}@{_DOMAIN}>"


def sender_address() -> str:
    """Return the bare address that mails come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def build(mail: Mail) -> EmailMessage:
    """Return `mail` as MIME: text, HTML and the calendar, if any, as alternatives; then the attachments.

    Raises ValueError for a line break in a header.
    """
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = message_id(mail.key)
    message["Date"] = format_datetime(mail.date)
    message["From"] = settings.DEFAULT_FROM_EMAIL
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.calendar:
        message.add_alternative(
            mail.calendar.decode(), subtype="calendar", cte="base64", params={"method": mail.calendar_method}
        )
        message.add_attachment(mail.calendar, maintype="application", subtype="ics", filename="trip.ics")
    for file in mail.attachments:
        message.add_attachment(file.content, maintype="application", subtype=file.subtype, filename=file.name)
    message["Content-Language"] = mail.language  # last: earlier, it would move into the first part
    return message


class Mailer:
    """Send mails, each thread over its own connection. An idle connection is checked before it is used again."""

    def __init__(self) -> None:
        self._local = threading.local()

    def send(self, mail: Mail) -> None:
        """Send `mail`. Raises MailRefused, or MailServerUnavailable if a later attempt may succeed."""
        try:
            message = build(mail)
        except (ValueError, UnicodeError) as error:
            raise MailRefused(f"malformed mail: {type(error).__name__}") from error
        try:
            self._connection().send_message(message, from_addr=sender_address(), to_addrs=[mail.to])
            self._local.used = time.monotonic()
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            self._reset()
            raise (MailRefused if 500 <= code < 600 else MailServerUnavailable)(f"recipient: {code}") from error
        except smtplib.SMTPResponseException as error:
            self.close()
            raise (MailRefused if 500 <= error.smtp_code < 600 else MailServerUnavailable)(
                f"{error.smtp_code}"
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise MailServerUnavailable(type(error).__name__) from error

    def close(self) -> None:
        """Close this thread's connection."""
        server = getattr(self._local, "server", None)
        self._local.server = None
        if server is not None:
            server.close()

    def _connection(self) -> smtplib.SMTP:
        server = getattr(self._local, "server", None)
        if server is not None and time.monotonic() - self._local.used > _IDLE_SECONDS and not _answers(server):
            self.close()
            server = None
        if server is None:
            server = self._local.server = _connect()
            self._local.used = time.monotonic()
        return server

    def _reset(self) -> None:
        try:
            self._local.server.rset()
        except (smtplib.SMTPException, OSError):
            self.close()


def _connect() -> smtplib.SMTP:
    host, port, timeout = settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT
    server: smtplib.SMTP
    if settings.EMAIL_USE_SSL:
        server = smtplib.SMTP_SSL(
            host, port, local_hostname=_DOMAIN, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, local_hostname=_DOMAIN, timeout=timeout)
        if settings.EMAIL_USE_TLS:
            server.starttls(context=ssl.create_default_context())
    if settings.EMAIL_HOST_USER:
        server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    return server


def _answers(server: smtplib.SMTP) -> bool:
    try:
        return server.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False
