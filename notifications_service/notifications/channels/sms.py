"""SMS through a provider. The console provider sends nothing: it writes each SMS to a JSON file."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings


class SmsProvider(Protocol):
    """A provider of SMS. A failed call may have sent the SMS, so call only once for a notification."""

    def send(self, *, to: str, text: str, notification_id: UUID, sent_at: datetime) -> None:
        """Send the text. Raises OSError if the provider did not take it."""


class ConsoleSms:
    """Writes `SMS_DIR/<notification id>.json` with `to`, `text`, `sent_at` and `notification_id`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, *, to: str, text: str, notification_id: UUID, sent_at: datetime) -> None:
        """Write the file whole or not at all. Only its owner may read it."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = {
            "to": to,
            "text": text,
            "sent_at": sent_at.isoformat().replace("+00:00", "Z"),
            "notification_id": str(notification_id),
        }
        new = self._folder / f".{notification_id}.new"
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        new.replace(self._folder / f"{notification_id}.json")


def provider() -> SmsProvider:
    """Return the SMS provider."""
    return ConsoleSms(Path(settings.SMS_DIR))
