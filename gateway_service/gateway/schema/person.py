"""The traveller whom a token names."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Person:
    """A traveller known only by the token, so it exists even while users_service is unavailable."""

    id: str
    type_name: ClassVar[str] = "User"
