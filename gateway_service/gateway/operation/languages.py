"""The languages of travellers' profiles, remembered for half a minute so that not every operation reads a profile."""

from typing import Final
from uuid import UUID

from cachetools import TTLCache

from shared.text import Locale

languages: Final[TTLCache[UUID, Locale]] = TTLCache(maxsize=10_000, ttl=30.0)
