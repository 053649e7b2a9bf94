"""Mail over SMTP, with one connection per worker thread that stays open between mails.

`send` returns when the server has answered 250: the server is then responsible for the mail. Only the headers set by
`mime` are sent. A line break in a header is an error, before anything is sent.
"""

import re
import smtplib
import threading
import time
from collections.abc import Callable
from email.utils import parseaddr
from typing import Final

from django.conf import settings

from notifications_service.notifications.channels.faults import AddressMalformed, MessageRefused, TryLater
from notifications_service.notifications.channels.mime import Mail, build
from notifications_service.notifications.channels.smtp import Connection, broken, connect
from notifications_service.notifications.channels.verdicts import Stage, fault_of_reply
from shared.failpoints import failpoint

_IDLE_SECONDS: Final = 30.0
_ADDRESS: Final = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)


def sender_address() -> str:
    """Return the bare address that mails come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def check_address(address: str) -> None:
    """Raise AddressMalformed if no mail can be sent to the address."""
    if not (address.isprintable() and _ADDRESS.fullmatch(address)):
        raise AddressMalformed(address=address)


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
            content = build(mail)
        except (ValueError, UnicodeError) as error:
            raise AddressMalformed(address=mail.to) from error
        proceed()
        connection, is_new = self._connection()
        try:
            conversation = _Conversation(connection, content, mail.to, proceed)
            try:
                conversation.begin()
            except TryLater:
                if is_new:
                    raise
                self.close()  # a server may close a connection that served many mails
                conversation = _Conversation(self._connection()[0], content, mail.to, proceed)
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

    def __init__(self, connection: Connection, content: bytes, to: str, proceed: Callable[[], None]) -> None:
        self._server = connection
        self._to = to
        self._proceed = proceed
        self._until = time.monotonic() + 3 * settings.NOTIFICATIONS_LEASE_SECONDS
        self._is_international = not to.isascii()
        self._content = content

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
