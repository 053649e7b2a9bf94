"""Whose fault a reply of a mail server tells of. The same code means different things at different stages."""

import re
import socket
import ssl
from enum import StrEnum
from typing import Final

from notifications_service.notifications.channels.faults import (
    AddressRefused,
    ChannelFault,
    ChannelUnusable,
    MessageRefused,
    TryLater,
)


class Stage(StrEnum):
    """What the server was asked when it gave its reply."""

    BANNER = "banner"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"


# Until the sender is accepted, the server knows nothing about the message. A refusal is about us.
_ABOUT_US: Final = (Stage.BANNER, Stage.EHLO, Stage.STARTTLS, Stage.AUTH, Stage.MAIL)
# At any stage: sign in first, use a stronger mechanism, the password is wrong or must be changed, encrypt first.
_CREDENTIALS: Final = frozenset({432, 530, 534, 535, 538})
_BAD_MAILBOX: Final = frozenset({501, 521, 550, 551, 553, 554, 556})
_TOO_LARGE: Final = 552
_BAD_SENDER: Final = (("1", "7"), ("1", "8"))
_ENHANCED: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\d)", re.ASCII)


def fault_of_reply(stage: Stage, code: int, text: bytes, *, address: str) -> ChannelFault:
    """Return the fault that the reply `code` `text` at `stage` tells of. `address` is the recipient's."""
    cause = f"{stage}: {code}"
    enhanced = _ENHANCED.match(text.decode("ascii", "replace"))
    if enhanced:
        cause = f"{cause} {enhanced[0]}"
    if code in _CREDENTIALS:
        return ChannelUnusable(cause)
    if not 500 <= code < 600:
        return TryLater(cause)
    if stage is Stage.MAIL and code == _TOO_LARGE:
        return MessageRefused(cause)
    if stage in _ABOUT_US:
        return ChannelUnusable(cause)
    if stage is Stage.RCPT:
        return _fault_at_recipient(code, enhanced, cause, address)
    return MessageRefused(cause)


def fault_of_error(error: OSError) -> ChannelFault:
    """Return the fault of a connection that broke or was never made."""
    cause = type(error).__name__
    if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return ChannelUnusable(cause)  # a certificate that is not trusted, or a server that does not speak TLS
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
        return ChannelUnusable("the mail server's name is unknown")
    return TryLater(cause)


def _fault_at_recipient(code: int, enhanced: re.Match[str] | None, cause: str, address: str) -> ChannelFault:
    """Tell a bad mailbox from a full one, from a refusal of our sender, and from a policy that may be about us."""
    status = (enhanced[2], enhanced[3]) if enhanced else ("", "")
    is_full = status == ("2", "2") or (code == _TOO_LARGE and not enhanced)
    if is_full or status[0] == "7":
        return TryLater(cause)
    if status in _BAD_SENDER:
        return ChannelUnusable(cause)
    if code in _BAD_MAILBOX and status[0] in ("", "0", "1", "2") and status != ("2", "3"):
        return AddressRefused(cause, address=address)
    return MessageRefused(cause)
