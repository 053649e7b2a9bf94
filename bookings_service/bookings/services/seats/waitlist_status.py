"""The only module that changes the status of a waiting-list entry.

It is in `services/seats/`, below `services/waitlist/`, because an offer is one of the changes: seats that are given
back are offered here in the same call. `services/waitlist/` uses it for all other changes.
"""

from datetime import datetime

from bookings_service.bookings.domain.waitlist import WaitlistAction, WaitlistStatus, next_waitlist_status
from bookings_service.bookings.models import WaitlistEntry


def change_entry_status(entry: WaitlistEntry, action: WaitlistAction, *, offered_until: datetime | None = None) -> None:
    """Change the status of a locked entry by `action`, and save it with its next sequence number.

    Raises IllegalTransition.
    """
    entry.status = next_waitlist_status(WaitlistStatus(entry.status), action)
    entry.offered_until = offered_until
    entry.sequence += 1
    entry.save()
