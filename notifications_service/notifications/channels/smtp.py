"""A connection to a mail server. Every command has one limit of time for itself and its whole reply.

smtplib limits each read of the socket only, so a server that sends a byte now and then could keep a worker for ever.
"""

import smtplib
import ssl
import time
from typing import Any, Final

from django.conf import settings

from notifications_service.notifications.channels.faults import ChannelFault, ChannelUnusable, TryLater
from notifications_service.notifications.channels.verdicts import Stage, fault_of_error, fault_of_reply

_MAX_LINE: Final = 8192
DOMAIN: Final = "travel.example"


class _Reader:
    """Reads the lines of a reply, all within the connection's limit."""

    def __init__(self, connection: "_Limited") -> None:
        self._connection = connection
        self._buffer = b""

    def readline(self, limit: int) -> bytes:
        """Return the next line, or what there is of it at the end or at `limit`."""
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            self._connection.apply_limit()
            more = self._connection.sock.recv(_MAX_LINE)
            if not more:
                break
            self._buffer += more
        end = min(self._buffer.find(b"\n") + 1 or len(self._buffer), limit)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def close(self) -> None:
        """Forget what was read."""
        self._buffer = b""


class _Limited:
    """Adds the limit to a class of smtplib."""

    sock: Any
    file: Any
    _until = 0.0

    def restart_limit(self) -> None:
        """Give the next command and its reply `command_seconds()` from now."""
        self._until = time.monotonic() + command_seconds()

    def apply_limit(self) -> None:
        """Let the next call of the socket take no longer than what is left of the limit. Raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)

    def send(self, data: Any) -> None:
        """Send `data` within the limit."""
        if self.sock:
            self.apply_limit()
        super().send(data)  # type: ignore[misc]

    def getreply(self) -> tuple[int, bytes]:
        """Return the next reply, read within the limit. smtplib calls it after each command."""
        if self._until == 0.0:
            self.restart_limit()  # the banner, which smtplib reads in its constructor
        if self.file is None:
            self.file = _Reader(self)
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return reply


class Plain(_Limited, smtplib.SMTP):
    """A connection that begins without TLS."""


class Encrypted(_Limited, smtplib.SMTP_SSL):
    """A connection that begins with TLS."""


Connection = Plain | Encrypted


def command_seconds() -> float:
    """Return how long a command and its reply may take: less than half of a lease."""
    return min(float(settings.EMAIL_TIMEOUT), settings.NOTIFICATIONS_LEASE_SECONDS / 2)


def connect() -> Connection:
    """Connect to the mail server, encrypt if the settings say so, and sign in. Raises ChannelUnusable or TryLater."""
    stage, connection = Stage.BANNER, None
    try:
        connection = _open()
        stage = Stage.EHLO
        connection.restart_limit()
        connection.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            stage = Stage.STARTTLS
            connection.restart_limit()
            connection.starttls(context=ssl.create_default_context())
        if settings.EMAIL_HOST_USER:
            stage = Stage.AUTH
            connection.restart_limit()
            connection.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except (OSError, UnicodeError) as error:  # smtplib's errors are OSErrors
        if connection is not None:
            connection.close()
        raise _fault(stage, error) from error
    return connection


def broken(stage: Stage, error: OSError) -> TryLater:
    """Return the fault of a conversation that the server ended, or did not go on with in time."""
    is_late = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    return TryLater(f"{stage}: {'no answer in time' if is_late else 'the server closed the connection'}")


def _open() -> Connection:
    host, port = settings.EMAIL_HOST, settings.EMAIL_PORT
    if settings.EMAIL_USE_SSL:
        return Encrypted(
            host, port, local_hostname=DOMAIN, timeout=command_seconds(), context=ssl.create_default_context()
        )
    return Plain(host, port, local_hostname=DOMAIN, timeout=command_seconds())


def _fault(stage: Stage, error: OSError | UnicodeError) -> ChannelFault:
    """Return the fault of an error while connecting."""
    if isinstance(error, UnicodeError):
        return ChannelUnusable("the user or password of EMAIL_URL has characters that SMTP cannot carry")
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return fault_of_reply(stage, error.smtp_code, text if isinstance(text, bytes) else b"", address="")
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return broken(stage, error)
    if isinstance(error, smtplib.SMTPException):  # no STARTTLS, or no way to sign in that smtplib knows
        return ChannelUnusable(f"{stage}: not offered")
    return fault_of_error(error)
