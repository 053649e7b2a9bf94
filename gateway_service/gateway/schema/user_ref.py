"""The value that the resolvers of `User` receive as root."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class UserRef:
    """The traveller of the token, by id only. So `me` works while users_service is unavailable.

    The contract calls a traveller's account `User`. Its other fields are loaded when they are asked for.
    """

    id: str
    type_name: ClassVar[str] = "User"
