"""SMS through a provider. The console provider sends nothing: it writes each SMS to a JSON file."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings

from notifications_service.notifications.channels.faults import ChannelUnusable, OutcomeUnknown


class SmsProvider(Protocol):
    """A provider of SMS. An SMS is tried again only if the provider certainly did not accept it."""

    def send(self, *, to: str, text: str, notification_id: UUID, sent_at: datetime) -> None:
        """Send the text, within half of a lease. Return when the provider has accepted it.

        Raises TryLater if nothing was sent to the provider (the connection was refused), or if it answered that it did
        not accept the SMS now (429, 503). Raises ChannelUnusable if it refuses us, AddressRefused if it refuses the
        number for good, and MessageRefused if it refuses this SMS only. Each of them says that the SMS was certainly
        not accepted. Raises OutcomeUnknown for everything else, such as a time-out after the request was sent. Any
        other exception counts as OutcomeUnknown.
        """


class ConsoleSms:
    """Writes `SMS_DIR/<notification id>.json` with `to`, `text`, `sent_at` and `notification_id`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, *, to: str, text: str, notification_id: UUID, sent_at: datetime) -> None:
        """Write the file whole or not at all. Only its owner may read it.

        Before the file gets its name nothing was sent, and a folder that cannot be written is our own fault.
        """
        content = {
            "to": to,
            "text": text,
            "sent_at": sent_at.isoformat().replace("+00:00", "Z"),
            "notification_id": str(notification_id),
        }
        new = self._folder / f".{notification_id}.new"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            new.unlink(missing_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            raise ChannelUnusable(f"SMS_DIR cannot be written: {type(error).__name__}") from error
        try:
            new.replace(self._folder / f"{notification_id}.json")
        except OSError as error:
            raise OutcomeUnknown(type(error).__name__) from error


def provider() -> SmsProvider:
    """Return the SMS provider."""
    return ConsoleSms(Path(settings.SMS_DIR))
