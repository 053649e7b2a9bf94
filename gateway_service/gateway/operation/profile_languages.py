"""The languages of travellers' profiles. Each process caches them for 30 seconds, to read fewer profiles."""

from typing import Final
from uuid import UUID

from cachetools import TTLCache

from shared.text import Locale

profile_languages: Final[TTLCache[UUID, Locale]] = TTLCache(maxsize=10_000, ttl=30.0)
