"""The traveller's mails, read from the Maildir that the embedded mail server fills."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from time import monotonic, sleep
from typing import Final
from urllib.parse import parse_qs, urlsplit

from demo.failure import DemoFailed

PATIENCE_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail."""

    name: str
    content_type: str
    content: bytes

    @property
    def is_calendar(self) -> bool:
        """Whether it is a calendar file, by its content type or its name."""
        return self.content_type == "text/calendar" or self.name.endswith(".ics")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the Maildir. `arrived` is the instant at which its file was complete, in seconds since 1970."""

    path: Path
    arrived: float
    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]

    def token(self) -> str | None:
        """Return the token of the first link that has one."""
        for word in self.text.split():
            if "token=" in word and (values := parse_qs(urlsplit(word.strip("<>()[].,")).query).get("token")):
                return values[0]
        return None

    def attached(self, content_type: str) -> Attachment | None:
        """Return the first attachment of a content type."""
        return next((file for file in self.attachments if file.content_type == content_type), None)

    def calendar_method(self) -> str | None:
        """Return the method of the attached calendar, for example REQUEST or CANCEL. None without a calendar."""
        calendar = next((file for file in self.attachments if file.is_calendar), None)
        lines = calendar.content.decode("utf-8", "replace").splitlines() if calendar else []
        return next((line.removeprefix("METHOD:").strip() for line in lines if line.startswith("METHOD:")), None)


class Mailbox:
    """Waits for mails. A mail whose file is in `new` or `cur` of the Maildir is complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parsed: dict[str, Mail] = {}

    def mails(self, to: str) -> list[Mail]:
        """Return the mails to an address, oldest first."""
        return sorted(
            (mail for mail in self._all() if mail.to.lower() == to.lower()),
            key=lambda mail: (mail.arrived, mail.path.name),
        )

    def wait(self, to: str, what: str, wanted: Callable[[Mail], bool], *, patience: float = PATIENCE_SECONDS) -> Mail:
        """Wait for a mail to an address that `wanted` accepts, and return it. Raises DemoFailed, which names `what`."""
        until = monotonic() + patience
        while True:
            if mail := next((mail for mail in self.mails(to) if wanted(mail)), None):
                return mail
            if monotonic() > until:
                raise DemoFailed(f"{what} did not come within {patience:.0f} s (looked in {self.folder})")
            sleep(PAUSE_SECONDS)

    def _all(self) -> Iterator[Mail]:
        for name in ("new", "cur"):
            folder = self.folder / name
            for path in folder.iterdir() if folder.is_dir() else ():
                key = path.name.split(":")[0]
                if key not in self.parsed and (mail := read(path)):
                    self.parsed[key] = mail
        yield from self.parsed.values()


def read(path: Path) -> Mail | None:
    """Return the mail in a file. None if another program has just moved the file."""
    try:
        content, arrived = path.read_bytes(), path.stat().st_mtime
    except FileNotFoundError:
        return None
    message = message_from_bytes(content, policy=policy.default)
    to = message["To"]
    return Mail(
        path=path,
        arrived=arrived,
        to=to.addresses[0].addr_spec if to and to.addresses else "",
        subject=str(message["Subject"] or ""),
        text=body(message, "plain"),
        html=body(message, "html"),
        attachments=tuple(attachments(message)),
    )


def body(message: EmailMessage, kind: str) -> str:
    """Return the mail's text of one kind, "" if it has none."""
    part = message.get_body((kind,))
    return part.get_content() if part is not None else ""


def attachments(message: EmailMessage) -> Iterator[Attachment]:
    """Yield every file of a mail.

    A calendar that is also one of the mail's texts, for mail programs, is yielded once.
    """
    parts = [part for part in message.walk() if not part.is_multipart()]
    named = [part for part in parts if part.get_filename()]
    calendars = [part for part in parts if part.get_content_type() == "text/calendar" and not part.get_filename()]
    if any(str(part.get_filename()).endswith(".ics") for part in named):
        calendars = []
    for part in named + calendars:
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield Attachment(Path(part.get_filename() or "booking.ics").name, part.get_content_type(), content)
