"""An SMTP server that stores every mail in a Maildir: `python -m launcher.infrastructure.mail PORT FOLDER`.

It listens on the loopback, or on SMTP_HOST_ADDRESS.
"""

import asyncio
import mailbox
import os
import signal
import sys
from email import message_from_bytes
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST: Final = 33_554_432  # bytes; as much as common providers accept


class Maildir:
    """Stores each mail in the Maildir, and answers 250 when its file has the final name."""

    def __init__(self, folder: Path) -> None:
        self._maildir = mailbox.Maildir(folder, create=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        mail = message_from_bytes(envelope.original_content or b"")
        mail["X-Envelope-From"] = envelope.mail_from or ""
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self._maildir.add(mailbox.MaildirMessage(mail))
        return "250 OK: delivered"


async def serve(port: int, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    handler = Maildir(folder)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", data_size_limit=LARGEST, enable_SMTPUTF8=True, loop=loop),
        os.environ.get("SMTP_HOST_ADDRESS", "127.0.0.1"),
        port,
    )
    async with server:
        await stop.wait()


if __name__ == "__main__":
    os.umask(0o077)  # mails hold links that sign in: only their owner may read them
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
