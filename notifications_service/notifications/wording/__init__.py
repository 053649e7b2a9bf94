"""The words of every mail and SMS, in English and French. `content.py` fills in the values in braces."""

from collections.abc import Mapping
from typing import Final

from notifications_service.notifications.domain import Kind
from notifications_service.notifications.wording import accounts, bookings
from notifications_service.notifications.wording.labels import LABELS
from notifications_service.notifications.wording.words import Words
from shared.text import Text

SUBJECTS: Final[Mapping[Kind, Text]] = {**accounts.SUBJECTS, **bookings.SUBJECTS}
WORDING: Final[Mapping[Kind, Words]] = {**accounts.WORDING, **bookings.WORDING}
SMS: Final[Mapping[Kind, Text]] = {**accounts.SMS, **bookings.SMS}

__all__ = ["LABELS", "SMS", "SUBJECTS", "WORDING", "Words"]
