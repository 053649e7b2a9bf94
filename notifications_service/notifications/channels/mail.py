"""Mail over SMTP, with one connection per worker thread that stays open between mails.

`send` returns when the server has answered 250: the server is then responsible for the mail. Only the headers set here
are sent. A line break in a header is an error, before anything is sent.
"""

import re
import smtplib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

from django.conf import settings

from notifications_service.notifications.channels.faults import AddressMalformed, MessageRefused, TryLater
from notifications_service.notifications.channels.smtp import DOMAIN, Connection, broken, connect
from notifications_service.notifications.channels.verdicts import Stage, fault_of_reply
from shared.failpoints import failpoint

_IDLE_SECONDS: Final = 30.0
_ADDRESS: Final = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


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


def sender_address() -> str:
    """Return the bare address that mails come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def check_address(address: str) -> None:
    """Raise AddressMalformed if no mail can be sent to the address."""
    if not (address.isprintable() and _ADDRESS.fullmatch(address)):
        raise AddressMalformed(address=address)


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
    if mail.trace_id:
        message["X-Trace-Id"] = mail.trace_id
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

    def send(self, mail: Mail, *, proceed: Callable[[], None] = lambda: None) -> None:
        """Send `mail`. Call `proceed` before each command; an exception of it ends the conversation.

        Raises MessageRefused, AddressRefused, ChannelUnusable or TryLater, see `faults`.
        """
        try:
            check_address(mail.to)
            message = build(mail)
        except (ValueError, UnicodeError) as error:
            raise AddressMalformed(address=mail.to) from error
        proceed()
        connection, is_new = self._connection()
        try:
            conversation = _Conversation(connection, message, mail.to, proceed)
            try:
                conversation.begin()
            except TryLater:
                if is_new:
                    raise
                self.close()  # a server may close a connection that served many mails
                conversation = _Conversation(self._connection()[0], message, mail.to, proceed)
                conversation.begin()
            conversation.finish()
            self._local.used = time.monotonic()
        except MessageRefused:
            self._reset()
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close this thread's connection."""
        server = getattr(self._local, "server", None)
        self._local.server = None
        if server is not None:
            server.close()

    def _connection(self) -> tuple[Connection, bool]:
        """Return this thread's connection, and whether it is new."""
        server = getattr(self._local, "server", None)
        if server is not None and time.monotonic() - self._local.used > _IDLE_SECONDS and not _answers(server):
            self.close()
            server = None
        if server is not None:
            return server, False
        server = self._local.server = connect()
        self._local.used = time.monotonic()
        return server, True

    def _reset(self) -> None:
        """End the transaction that the server refused, so that the connection serves the next mail."""
        server = self._local.server
        try:
            server.restart_limit()
            server.rset()
        except (smtplib.SMTPException, OSError):
            self.close()


class _Conversation:
    """The commands that carry one mail. Each raises the fault that the reply tells of."""

    def __init__(self, connection: Connection, message: EmailMessage, to: str, proceed: Callable[[], None]) -> None:
        self._server = connection
        self._to = to
        self._proceed = proceed
        self._until = time.monotonic() + 3 * settings.NOTIFICATIONS_LEASE_SECONDS
        self._is_international = not to.isascii()
        self._content = message.as_bytes(policy=SMTP.clone(utf8=self._is_international))

    def begin(self) -> None:
        """Name the sender."""
        if self._is_international and not self._server.has_extn("smtputf8"):
            raise MessageRefused("the mail server accepts no international address")
        options = [f"size={len(self._content)}"] if self._server.has_extn("size") else []
        options += ["SMTPUTF8", "BODY=8BITMIME"] if self._is_international else []
        self._ask(Stage.MAIL, 250, lambda: self._server.mail(sender_address(), options))

    def finish(self) -> None:
        """Name the recipient and send the content."""
        self._ask(Stage.RCPT, 250, lambda: self._server.rcpt(self._to), also=251)
        self._ask(Stage.DATA, 354, lambda: self._server.docmd("data"))
        failpoint("mail.offered")
        self._ask(Stage.CONTENT, 250, self._send_content)

    def _send_content(self) -> tuple[int, bytes]:
        self._server.send(_LEADING_DOT.sub(b"..", self._content) + b".\r\n")
        return self._server.getreply()

    def _ask(self, stage: Stage, wanted: int, command: Callable[[], tuple[int, bytes]], also: int = 0) -> None:
        self._proceed()
        if time.monotonic() > self._until:
            raise TryLater(f"{stage}: the conversation took too long")
        self._server.restart_limit()
        try:
            code, text = command()
        except OSError as error:  # smtplib's errors are OSErrors
            raise broken(stage, error) from error
        if code not in (wanted, also):
            raise fault_of_reply(stage, code, text, address=self._to)


def _answers(server: Connection) -> bool:
    try:
        server.restart_limit()
        return bool(server.noop()[0] == 250)
    except (smtplib.SMTPException, OSError):
        return False
