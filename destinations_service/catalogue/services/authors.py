"""Who makes a change: the context that the triggers of the history store beside what they record."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pghistory

from destinations_service.catalogue.models.history import STAFF


@contextmanager
def authored(*, source: str, request: str = "", command: str = "") -> Iterator[None]:
    """Record that the changes of the body come from `source`: the admin, REST, or a command and its name.

    Every writing statement of this thread takes the context with it until the body ends. COPY does not: a transaction
    that copies into a tracked table first needs another write.
    """
    given = {"source": source, "request": request, "command": command}
    with pghistory.context(**{key: value for key, value in given.items() if value}):
        yield


def by_staff(staff_id: UUID, *, account: int | None = None) -> None:
    """Record that a member of staff makes the changes from here on. Outside `authored` it does nothing.

    `account` is the key of this service's copy of the staff account, if there is one.
    """
    pghistory.context(**{STAFF: str(staff_id), **({"account": account} if account else {})})
