"""The orders in which bookings are listed, as keys of their pages."""

from typing import Final
from uuid import UUID

from shared.pages import ID, Key, instant

NEWEST: Final = (Key("created_at", instant, descending=True), Key("id", UUID, descending=True))
BY_START: Final = (Key("starts_at", instant), ID)
