"""The states of a waiting-list entry, and what moves it between them. Pure: values only."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.errors import IllegalTransition


class WaitlistStatus(StrEnum):
    """The status of a waiting-list entry."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    TAKEN = "TAKEN"
    EXPIRED = "EXPIRED"
    LEFT = "LEFT"


class WaitlistAction(StrEnum):
    """What moves a waiting-list entry to another status."""

    OFFER = "OFFER"
    TAKE = "TAKE"
    EXPIRE = "EXPIRE"
    LEAVE = "LEAVE"


WAITLIST_TRANSITIONS: Final[Mapping[tuple[WaitlistStatus, WaitlistAction], WaitlistStatus]] = {
    (WaitlistStatus.WAITING, WaitlistAction.OFFER): WaitlistStatus.OFFERED,
    (WaitlistStatus.WAITING, WaitlistAction.LEAVE): WaitlistStatus.LEFT,
    (WaitlistStatus.WAITING, WaitlistAction.EXPIRE): WaitlistStatus.EXPIRED,  # the departure can no longer be booked
    (WaitlistStatus.OFFERED, WaitlistAction.TAKE): WaitlistStatus.TAKEN,
    (WaitlistStatus.OFFERED, WaitlistAction.LEAVE): WaitlistStatus.LEFT,
    (WaitlistStatus.OFFERED, WaitlistAction.EXPIRE): WaitlistStatus.EXPIRED,
    (WaitlistStatus.TAKEN, WaitlistAction.EXPIRE): WaitlistStatus.EXPIRED,  # the quote that took it was not booked
}
LIVE_ENTRY: Final = (WaitlistStatus.WAITING, WaitlistStatus.OFFERED)


def next_waitlist_status(status: WaitlistStatus, action: WaitlistAction) -> WaitlistStatus:
    """Return the status that `action` leads to. Raises IllegalTransition if the table has no such move."""
    try:
        return WAITLIST_TRANSITIONS[status, action]
    except KeyError:
        raise IllegalTransition(status=status, action=action) from None
