"""Limit guesses of booking references.

References are short, so a program could find a valid one by trying. A traveller who used WRONG_REFERENCES wrong ones
within WINDOW_SECONDS is refused, by whatever way the next one comes: RPC, REST or stream, to read, pay or cancel. A
booking of another traveller counts as wrong too. Staff is not limited. While Valkey is unavailable, nobody is limited.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from shared.errors import NotFound
from shared.limits import Window

WRONG_REFERENCES: Final = 60
WINDOW_SECONDS: Final = 60
_WRONG: Final = Window("wrong-references", WINDOW_SECONDS)


class ReferenceNotFound(NotFound):
    """The traveller has no booking with this reference. Clients see NotFound."""


@contextmanager
def limited(*, traveller_id: UUID) -> Iterator[None]:
    """Count the reference that the body looks up if it raises ReferenceNotFound.

    Use it outside of transactions, because it calls Valkey. Raises RateLimited, before the body runs, if the traveller
    has used WRONG_REFERENCES wrong references in this window.
    """
    traveller = str(traveller_id)
    _WRONG.check(traveller, count=_WRONG.count(traveller) + 1, limit=WRONG_REFERENCES)
    try:
        yield
    except ReferenceNotFound:
        _WRONG.add(traveller)
        raise
